"""What the cases service is told by its environment, besides what every service is."""

from typing import Self

from pydantic import Field, model_validator

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """`RAPPORT_<NAME>`; durations in seconds."""

    promise_lead_s: int = Field(
        86_400, ge=0, description="seconds before its due time at which an unkept promise is at risk"
    )
    promise_grace_s: int = Field(
        0, ge=0, description="seconds after its due time at which an unkept promise is broken"
    )
    call_attempts: int = Field(
        3, ge=1, le=50, description="how often a customer is called before who owns the case sees to it"
    )
    call_pause_minutes: int = Field(
        120, ge=1, le=10_080, description="minutes of the department's working hours before a further attempt"
    )
    front_desk_phone: str = Field(
        "", max_length=50, description="the phone number of `agents/front-desk` when it is first made"
    )
    front_desk_email: str = Field(
        "front-desk@example.com",
        max_length=320,
        description="the e-mail address of `agents/front-desk` when it is first made",
    )

    @model_validator(mode="after")
    def _front_desk_can_be_reached(self) -> Self:
        if not (self.front_desk_phone or self.front_desk_email):
            told = "RAPPORT_FRONT_DESK_PHONE or RAPPORT_FRONT_DESK_EMAIL must be given: customers turn to it"
            raise ValueError(told)
        return self
