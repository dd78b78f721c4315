"""Identifiers: the handles by which touch points recognise a customer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition

MAX_IDENTIFIERS = 100


class IdentifierType(StrEnum):
    """The kinds of handle."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    ACCOUNT_NUMBER = "ACCOUNT_NUMBER"
    SOCIAL = "SOCIAL"
    DEVICE = "DEVICE"
    EXTERNAL_ID = "EXTERNAL_ID"
    FAX = "FAX"


class Quality(StrEnum):
    """How good a value is."""

    VALID = "VALID"
    POSSIBLE = "POSSIBLE"
    INVALID = "INVALID"


Key = tuple[IdentifierType, str]

# By which kind of handle an imported row finds its customer, best first.
MATCH_ORDER = (
    IdentifierType.EXTERNAL_ID,
    IdentifierType.ACCOUNT_NUMBER,
    IdentifierType.EMAIL,
    IdentifierType.PHONE,
)


@dataclass(frozen=True, slots=True)
class Handle:
    """A judged value of a kind. `normalized_value` is empty when it matches and reaches nobody."""

    type: IdentifierType
    value: str
    normalized_value: str
    quality: Quality

    @property
    def key(self) -> Key | None:
        """What is unique in the installation; None when nothing can be matched by this handle."""
        return (self.type, self.normalized_value) if self.normalized_value else None


@dataclass(slots=True)
class Identifier:
    """A handle of one customer."""

    id: UUID
    customer_id: UUID
    type: IdentifierType
    value: str
    normalized_value: str
    quality: Quality
    create_time: datetime

    @property
    def key(self) -> Key | None:
        """As `Handle.key`."""
        return (self.type, self.normalized_value) if self.normalized_value else None


@dataclass(frozen=True, slots=True)
class Draft:
    """A customer to be: profile fields by name, and handles."""

    profile: dict[str, str] = field(default_factory=dict)
    handles: tuple[Handle, ...] = ()


def same(held: Identifier, handle: Handle) -> bool:
    """Whether an identifier is that handle already. What cannot be matched is compared as it was given."""
    return held.type == handle.type and (
        held.normalized_value == handle.normalized_value
        if handle.normalized_value
        else held.value == handle.value
    )


def distinct(handles: Iterable[Handle]) -> list[Handle]:
    """The handles without repeats, in their order."""
    return list({(h.type, h.normalized_value or h.value): h for h in reversed(list(handles))}.values())[::-1]


def check_room(held: int, added: int = 1) -> None:
    """Refuse more handles than one customer may have: FailedPrecondition TOO_MANY_IDENTIFIERS."""
    if held + added > MAX_IDENTIFIERS:
        raise FailedPrecondition(
            "TOO_MANY_IDENTIFIERS",
            f"A customer has at most {MAX_IDENTIFIERS} identifiers: remove one first.",
            {"most": MAX_IDENTIFIERS},
        )


def taken(field: str, customer: str) -> AlreadyExists:
    """The refusal for a handle that belongs to another customer."""
    return AlreadyExists(
        "IDENTIFIER_TAKEN",
        f"{field} belongs to {customer}: an identifier belongs to one customer.",
        {"field": field, "customer": customer},
    )
