"""What the customer service is told by its environment, besides what every service is."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the customer service, as `RAPPORT_<NAME>`."""

    default_relationship_manager: str = Field(
        "agents/front-desk",
        pattern=r"^agents/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
        description="the agent who answers for new customers, `agents/{agent}`",
    )
