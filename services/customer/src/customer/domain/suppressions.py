"""Suppressions: that nothing is sent to an address, whoever has it.

Kept is what finds an address under a secret key. Addresses are short enough to be tried one after the other:
a hash without a key would be one in the clear.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, invalid
from customer.domain.identifiers import Identifier, IdentifierType
from customer.domain.purposes import LegalBasis
from customer.names import SUPPRESSION

SUPPRESSED = "suppressed"
ADDRESSES = frozenset({IdentifierType.EMAIL, IdentifierType.PHONE})
# Of what is essential that is sent whatever somebody said: who owes it may not leave it out.
_OWED = frozenset({LegalBasis.LEGAL_OBLIGATION, LegalBasis.VITAL_INTERESTS})


class SuppressionReason(StrEnum):
    """Why nothing is sent to an address."""

    UNSUBSCRIBED = "UNSUBSCRIBED"
    HARD_BOUNCE = "HARD_BOUNCE"
    COMPLAINT = "COMPLAINT"
    ERASURE = "ERASURE"
    MANUAL = "MANUAL"


@dataclass(slots=True)
class Suppression:
    """That nothing is sent to an address. Without a category: of every purpose. It holds until released."""

    id: UUID
    address_hash: str
    key_id: str  # of the key that the hash is made with
    type: IdentifierType
    reason: SuppressionReason
    category: str
    source: str
    actor: str
    create_time: datetime
    release_actor: str
    release_reason_code: str
    release_time: datetime | None
    version: int

    name = SUPPRESSION.named("id")

    def check(self) -> None:
        """InvalidArgument INVALID_CODE: what takes nothing takes nothing of any kind."""
        if self.reason is SuppressionReason.HARD_BOUNCE and self.category:
            raise invalid("suppression.category", "INVALID_CODE", "must be empty with HARD_BOUNCE")

    def release(self, actor: str, reason_code: str, now: datetime) -> None:
        """Have it hold no more. FailedPrecondition SUPPRESSION_RELEASED."""
        if self.release_time is not None:
            told = f"{self.name} was released at {self.release_time} by {self.release_actor}."
            raise FailedPrecondition("SUPPRESSION_RELEASED", told, {"resource": self.name})
        self.release_actor, self.release_reason_code, self.release_time = actor, reason_code, now
        self.version += 1

    def keeps_from(
        self, legal_basis: LegalBasis | None, category: str, *, essential: bool, urgent: bool
    ) -> bool:
        """Whether it keeps a contact for such a purpose from its address."""
        if self.reason is SuppressionReason.HARD_BOUNCE:
            return True
        if urgent or (essential and legal_basis in _OWED):
            return False
        if self.category and self.reason is SuppressionReason.UNSUBSCRIBED and essential:
            return False  # of its kind all that they can do without was stopped
        return self.category in ("", category)

    @property
    def inputs(self) -> dict[str, str]:
        """What a decision tells of it."""
        return {"suppression": self.name, "reason": self.reason.lower(), "category": self.category or "all"}


@dataclass(frozen=True, slots=True)
class AddressKey:
    """Makes of addresses what finds them; without a pepper nothing is suppressed."""

    pepper: str = field(repr=False)

    @property
    def id(self) -> str:
        """What tells this key from others, and nothing of it."""
        return self._digest("key")[:16]

    def hash_of(self, type: IdentifierType, normalized_value: str) -> str:
        """What finds an address as it is matched: hexadecimal digits. A number is that without extension.

        FailedPrecondition `NO_ADDRESS_PEPPER`.
        """
        if not self.pepper:
            told = "This installation keeps no suppressions: RAPPORT_ADDRESS_PEPPER is not set."
            raise FailedPrecondition("NO_ADDRESS_PEPPER", told)
        return self._digest(f"{type}/{_reached(normalized_value)}")

    def hashes_of(self, identifiers: Iterable[Identifier]) -> dict[UUID, str]:
        """What finds each of these that is an address, by its id; nothing without a pepper."""
        addresses = [i for i in identifiers if i.type in ADDRESSES and i.normalized_value]
        return {i.id: self.hash_of(i.type, i.normalized_value) for i in addresses} if self.pepper else {}

    def _digest(self, text: str) -> str:
        return hmac.digest(self.pepper.encode(), text.encode(), "sha256").hex()


def same_address(one: str, other: str) -> bool:
    """Whether two addresses, as they are matched, are one to whoever sends there."""
    return _reached(one) == _reached(other)


def _reached(normalized_value: str) -> str:
    """Without the extension of a number."""
    return normalized_value.partition(";")[0]


def suppressed(
    identifiers: Iterable[Identifier], hashes: Mapping[UUID, str], applying: Iterable[Suppression]
) -> dict[UUID, Suppression]:
    """Which identifiers of a customer nothing is sent to, by what of these that apply.

    What somebody said of an address that is theirs alone holds for each other such address of its type.
    """
    known = list(identifiers)
    found: dict[UUID, Suppression] = {}
    for each in applying:
        named = [i for i in known if hashes.get(i.id) == each.address_hash]
        if each.reason is not SuppressionReason.HARD_BOUNCE and any(i.own_key for i in named):
            named += [i for i in known if i.type is each.type and i.own_key]
        for identifier in named:
            found.setdefault(identifier.id, each)
    return found
