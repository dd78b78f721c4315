"""Identifiers: the handles by which touch points recognise a customer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.facts import Told, Why, shown, why_told
from customer.names import CUSTOMER, IDENTIFIER

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


Key = tuple[IdentifierType, str, str]  # its type, its system, and the value as it is matched

# Of a household or a switchboard, perhaps: it finds people, and proves of nobody who they are.
NUMBERS = frozenset({IdentifierType.PHONE, IdentifierType.FAX})
CUSTOMERS_NAMED = 20  # of those who have a handle, in a refusal


class _Keyed:
    """What a handle is matched by."""

    __slots__ = ()
    type: IdentifierType
    system: str
    normalized_value: str
    shared: bool

    @property
    def key(self) -> Key | None:
        """How it is found; None when nobody can be found by it."""
        return (self.type, self.system, self.normalized_value) if self.normalized_value else None

    @property
    def own_key(self) -> Key | None:
        """The key when it belongs to one customer alone; None for what people share, as numbers may be."""
        return None if self.shared or self.type in NUMBERS else self.key


@dataclass(frozen=True, slots=True)
class Handle(_Keyed):
    """A judged value of a kind. `normalized_value` is empty when it matches and reaches nobody."""

    type: IdentifierType
    system: str
    value: str
    normalized_value: str
    quality: Quality
    shared: bool = False

    @property
    def strong(self) -> bool:
        """Whether it proves who somebody is."""
        return not self.shared and self.type in (IdentifierType.EXTERNAL_ID, IdentifierType.ACCOUNT_NUMBER)


@dataclass(slots=True)
class Identifier(_Keyed):
    """A handle of a customer; `verify_time` is None while nobody proved that they have it."""

    id: UUID
    customer_id: UUID
    type: IdentifierType
    system: str
    value: str
    normalized_value: str
    quality: Quality
    create_time: datetime
    shared: bool
    verification_method: str
    verify_time: datetime | None
    verifier: str  # a subject, as `agent:alice`
    unreachable_time: datetime | None  # since when somebody who tried knows that they are not reached by it
    version: int

    name = IDENTIFIER.named("customer_id", "id")
    customer = CUSTOMER.named("customer_id")

    def verify(self, method: str, verifier: str, now: datetime) -> None:
        """Note that the customer proved that they have it."""
        self.verification_method, self.verify_time, self.verifier = method, now, verifier
        self.unreachable_time = None
        self.version += 1

    def fail(self, at: datetime) -> bool:
        """Note that they are not reached by it. False when that is known, or it was proved since then."""
        if self.unreachable_time or (self.verify_time and self.verify_time >= at):
            return False
        self.unreachable_time = at
        self.version += 1
        return True

    def withdraw_verification(self) -> str:
        """Note that they have not; returns how they were said to have, empty when nobody said so."""
        method = self.verification_method
        if self.verify_time is not None:
            self.verification_method, self.verify_time, self.verifier = "", None, ""
            self.version += 1
        return method


@dataclass(frozen=True, slots=True)
class Draft:
    """A customer to be: profile fields by name, and handles; `confirmed` to be who has its id or number."""

    profile: dict[str, str] = field(default_factory=dict)
    handles: tuple[Handle, ...] = ()
    confirmed: bool = False


def same(held: Identifier, handle: Handle) -> bool:
    """Whether an identifier is that handle already. What cannot be matched is compared as it was given."""
    return (held.type, held.system) == (handle.type, handle.system) and (
        held.normalized_value == handle.normalized_value
        if handle.normalized_value
        else held.value == handle.value
    )


def distinct(handles: Iterable[Handle]) -> list[Handle]:
    """The handles without repeats, in their order: the first of those alike stays."""
    found: dict[Key, Handle] = {}
    for handle in handles:
        found.setdefault((handle.type, handle.system, handle.normalized_value or handle.value), handle)
    return list(found.values())


def stand_ins(identifiers: Iterable[Identifier]) -> set[str]:
    """What a customer is called who has no name yet: an id in another system, or an e-mail address."""
    kinds = (IdentifierType.EMAIL, IdentifierType.EXTERNAL_ID)
    return {identifier.value.strip() for identifier in identifiers if identifier.type in kinds}


def check_room(held: int, added: int = 1) -> None:
    """Refuse more handles than one customer may have: FailedPrecondition TOO_MANY_IDENTIFIERS."""
    if held + added > MAX_IDENTIFIERS:
        told = f"A customer has at most {MAX_IDENTIFIERS} identifiers: remove one first."
        raise FailedPrecondition("TOO_MANY_IDENTIFIERS", told, {"most": MAX_IDENTIFIERS})


def shared(field: str) -> FailedPrecondition:
    """The refusal to say whose a handle is that several customers have."""
    told = f"{field} is a handle that several customers have: ask by another handle of theirs."
    return FailedPrecondition("IDENTIFIER_SHARED", told, {"field": field})


def held_by_several(field: str, others: Iterable[UUID]) -> FailedPrecondition:
    """The refusal to say that a handle is one customer's, which others have too."""
    names = ", ".join(CUSTOMER.format(each) for each in sorted(others)[:CUSTOMERS_NAMED])
    told = f"{field} must be true while others have the handle: take it from {names} first."
    return FailedPrecondition("IDENTIFIER_SHARED", told, {"field": field, "customers": names})


def why_identifier(identifier: Identifier, told: Told) -> Why:
    """Why an identifier is as it is: what was last told of it, and how it was proved."""
    last = why_told(identifier, told)
    if identifier.unreachable_time:
        failed = f"Somebody who tried did not reach the customer by it, {shown(identifier.unreachable_time)}."
        return Why(f"{last.summary} {failed}".strip())
    if identifier.verify_time is None:
        return last
    method, at = identifier.verification_method, shown(identifier.verify_time)
    proved = f"The customer proved that they have it by {method}, {at}."
    return Why(f"{last.summary} {proved}".strip(), inputs={"verification.method": method})


def taken(field: str, customer: str, **of: str) -> AlreadyExists:
    """The refusal for a handle that belongs to a customer."""
    told = f"{field} belongs to {customer}: an identifier belongs to one customer, once."
    return AlreadyExists("IDENTIFIER_TAKEN", told, {"field": field, "resource": customer, **of})
