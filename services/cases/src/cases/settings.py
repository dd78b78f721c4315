"""What the cases service is told by its environment, besides what every service is."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """`RAPPORT_<NAME>`; durations in seconds."""

    promise_lead_s: int = Field(
        86_400, ge=0, description="seconds before its due time at which an unkept promise is at risk"
    )
    promise_grace_s: int = Field(
        0, ge=0, description="seconds after its due time at which an unkept promise is broken"
    )
    front_desk_phone: str = Field(
        "", max_length=50, description="the phone number of `agents/front-desk` when it is first made"
    )
    front_desk_email: str = Field(
        "front-desk@example.com",
        max_length=320,
        description="the e-mail address of `agents/front-desk` when it is first made",
    )
