"""What the desk is told by its environment."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The service's settings."""

    rest_timeout_s: float = Field(
        5.0, gt=0, le=30, description="how long a call over REST may take that does not say"
    )
