"""What the customer service is told by its environment, besides what every service is."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.settings import Pepper, ServiceSettings
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from customer.domain.attachments import LARGEST_BYTES
from customer.domain.links import KEY_LEAST, KEYS_MOST


class Settings(ServiceSettings):
    """Settings of the customer service, as `RAPPORT_<NAME>`."""

    default_relationship_manager: str = Field(
        "agents/front-desk",
        pattern=r"^agents/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
        description="the agent who answers for new customers, `agents/{agent}`",
    )
    time_zone: str = Field(
        "UTC",
        description="the IANA time zone of customers of whom nobody said another, and whose country has"
        " several or is not known",
    )
    match_link_probability: float = Field(
        0.99,
        gt=0.5,
        le=1,
        description="how likely two customers must be one to be linked without asking a person; 1 for never",
    )
    match_ask_probability: float = Field(
        0.1, gt=0, lt=1, description="how likely two customers must be one for a person to be asked"
    )
    address_pepper: Pepper = Field(
        SecretStr(""),
        description="the key under which suppressed addresses are found, 32 characters or more, kept as a"
        " secret and never changed: addresses are not found by another; empty, none is suppressed",
    )

    import_revert_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="how many days after an import of customers it can be taken back: what its rows did is"
        " kept so long, with the values of before",
    )
    link_keys: SecretStr = Field(
        SecretStr(""),
        description="the keys under which links to customers' own pages are made, with blanks between, each"
        " of 32 characters or more, kept as a secret: the first makes links, all open them, and one that is"
        " taken out opens none of its own any more; empty, there are no links",
    )

    attachment_max_bytes: int = Field(
        LARGEST_BYTES,
        ge=1,
        le=LARGEST_BYTES,
        description="how many bytes a file of a customer has at most",
    )
    attachments_max_bytes: int = Field(
        100_000_000, ge=1, description="how many bytes all files of a customer have together at most"
    )

    attachment_scanner_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="who looks for what is harmful in customers' files, asked by POST; empty: nobody does",
    )

    @field_validator("link_keys")
    @classmethod
    def _are_long_and_few(cls, value: SecretStr) -> SecretStr:
        keys = value.get_secret_value().split()
        if len(keys) > KEYS_MOST or any(len(key) < KEY_LEAST for key in keys):
            raise ValueError(f"must be at most {KEYS_MOST} keys of {KEY_LEAST} characters or more")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if time_zone(value) is None:
            raise ValueError(NOT_A_TIME_ZONE)
        return value

    @property
    def keys_of_links(self) -> tuple[str, ...]:
        """The keys, that in use first."""
        return tuple(self.link_keys.get_secret_value().split())

    @model_validator(mode="after")
    def _who_is_linked_would_be_asked_about(self) -> Self:
        if self.match_ask_probability > self.match_link_probability:
            told = "RAPPORT_MATCH_ASK_PROBABILITY must be at most RAPPORT_MATCH_LINK_PROBABILITY"
            raise ValueError(told)
        return self
