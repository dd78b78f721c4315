"""Attributes of customers: what departments declare, what was observed, and which value stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, Self
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.names import ATTRIBUTE, ATTRIBUTE_VALUE, CUSTOMER, DEPARTMENT, OBSERVATION

PROFILE = "profile"  # the namespace of the profile's own fields, which are the platform's
OTHERS_MAX = 20


class Type(StrEnum):
    """What a value is."""

    UNSPECIFIED = "UNSPECIFIED"
    TEXT = "TEXT"
    WHOLE_NUMBER = "WHOLE_NUMBER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    CODE = "CODE"


class DataClass(StrEnum):
    """How sensitive values are."""

    UNSPECIFIED = "UNSPECIFIED"
    PLAIN = "PLAIN"
    PERSONAL = "PERSONAL"
    SENSITIVE = "SENSITIVE"


class Rule(StrEnum):
    """Which of several values stands."""

    UNSPECIFIED = "UNSPECIFIED"
    LATEST = "LATEST"
    TRUSTED_SOURCE = "TRUSTED_SOURCE"
    MANUAL = "MANUAL"


class Reason(StrEnum):
    """Why a value stands, or does not."""

    ONLY = "ONLY"
    PINNED = "PINNED"
    TRUSTED = "TRUSTED"
    LATER = "LATER"
    SURER = "SURER"
    ORDER = "ORDER"
    SURVIVOR = "SURVIVOR"


_SAID = ("display_name", "description", "type", "data_class", "codes", "rule", "trusted_sources")
_FREE = ("rule", "trusted_sources")  # what can be said of the profile's fields


@dataclass(slots=True)
class Attribute:
    """What is kept of customers. A withdrawn one is kept: what was observed is still there."""

    id: str
    display_name: str
    description: str
    type: Type
    data_class: DataClass
    codes: list[str]
    rule: Rule
    trusted_sources: list[str]
    create_time: datetime
    update_time: datetime
    version: int = 1
    delete_time: datetime | None = None

    name = ATTRIBUTE.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def department_id(self) -> str:
        """Whose it is: the namespace's."""
        namespace = self.id.partition(".")[0]
        return "platform" if namespace == PROFILE else namespace

    @property
    def profile_field(self) -> bool:
        """Whether `UpdateCustomer` and imports change it, and nobody records it."""
        return self.id.startswith(f"{PROFILE}.")

    def follow(self, held: Self) -> list[str]:
        """Be the version after `held`; returns the fields that it says otherwise. ATTRIBUTE_INCOMPATIBLE."""
        missing = sorted(set(held.codes) - set(self.codes))
        if self.type != held.type or missing:
            told = f"{self.name} is of the type {held.type} for ever, and a code that it had stays one of it."
            about = {"resource": self.name, "type": held.type, "codes": ", ".join(missing)}
            raise FailedPrecondition("ATTRIBUTE_INCOMPATIBLE", told, about)
        said = [field for field in _SAID if getattr(self, field) != getattr(held, field)]
        if self.profile_field and not set(said).issubset(_FREE):
            self.refuse_of_profile("is as it is, but for its rule and trusted sources")
        self.create_time, self.version = held.create_time, held.version + 1
        return said

    def refuse_of_profile(self, told: str) -> NoReturn:
        """Say what cannot be done to a field of the profile. PROFILE_FIELD."""
        raise FailedPrecondition(
            "PROFILE_FIELD", f"{self.name} is a field of the profile: it {told}.", {"resource": self.name}
        )

    def require_manual(self) -> None:
        """Refuse to pin where another rule decides. FailedPrecondition NOT_MANUAL."""
        if self.rule is not Rule.MANUAL:
            told = f"{self.name} has the rule {self.rule}: nobody pins a value of it."
            raise FailedPrecondition("NOT_MANUAL", told, {"resource": self.name, "rule": self.rule})

    def trust(self, teller: str) -> int:
        """How much a department's source is trusted here: the first of the list most, others not at all."""
        trusted = [] if self.rule is Rule.LATEST else self.trusted_sources
        return len(trusted) - trusted.index(teller) if teller in trusted else 0


def teller(department_id: str, source: str) -> str:
    """A source as attributes trust it, `billing.register`: another department's of that name is another."""
    return f"{department_id}.{source}"


@dataclass(slots=True)
class Observation:
    """What one source said of one customer at one time: values by attribute, empty for none.

    `origin` is the name of what it came with, such as an import; `act_id` the audit's of who recorded it.
    """

    id: UUID
    customer_id: UUID
    source: str
    department_id: str
    actor: str
    origin: str
    observe_time: datetime
    confidence: float
    contents: dict[str, str]
    create_time: datetime
    act_id: UUID

    name = OBSERVATION.named("customer_id", "id")
    department = DEPARTMENT.named("department_id")


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best that one department's source says of one attribute of one customer."""

    customer_id: UUID
    attribute_id: str
    source: str
    value: str
    observation_id: UUID | None
    department_id: str
    actor: str
    observe_time: datetime | None
    confidence: float

    department = DEPARTMENT.named("department_id")
    observation = OBSERVATION.named("customer_id", "observation_id")

    @property
    def teller(self) -> str:
        """Who says so, as attributes trust them."""
        return teller(self.department_id, self.source)

    @property
    def strength(self) -> tuple[float, float, str, str, str]:
        """Of several of equal trust the greatest stands. It says nothing of when they were recorded."""
        at = self.observe_time.timestamp() if self.observe_time else float("-inf")
        return at, self.confidence, self.source, self.department_id, self.value


def candidates(observation: Observation) -> list[Candidate]:
    """What an observation says. What is empty never stands, and takes back what its source said before."""
    return [
        Candidate(
            observation.customer_id,
            attribute_id,
            observation.source,
            value,
            observation.id,
            observation.department_id,
            observation.actor,
            observation.observe_time,
            observation.confidence,
        )
        for attribute_id, value in observation.contents.items()
    ]


def best_of_each(found: Sequence[Candidate]) -> list[Candidate]:
    """The best of each source, for each attribute and customer."""
    best: dict[tuple[UUID, str, str], Candidate] = {}
    for each in found:
        key = each.customer_id, each.attribute_id, each.teller
        if key not in best or best[key].strength < each.strength:
            best[key] = each
    return list(best.values())


@dataclass(slots=True)
class Pin:
    """What people did to the value of one attribute of one customer: `version` counts what else stood.

    `observation_id` is of what is pinned; None when nothing is.
    """

    customer_id: UUID
    attribute_id: str
    observation_id: UUID | None
    actor: str
    pin_time: datetime | None
    version: int

    name = ATTRIBUTE_VALUE.named("customer_id", "attribute_id")
    customer = CUSTOMER.named("customer_id")
    attribute = ATTRIBUTE.named("attribute_id")

    @property
    def topic(self) -> str:
        """What the attribute is within its namespace."""
        return self.attribute_id.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, and by what it stands, or what stands comes before it."""

    candidate: Candidate
    reason: Reason


@dataclass(frozen=True, slots=True)
class Standing:
    """The value that stands and the others, best first, with the attribute that decided."""

    customer_id: UUID
    attribute: Attribute
    standing: Judged | None
    others: list[Judged]
    version: int
    pin: Pin | None = None

    name = ATTRIBUTE_VALUE.named("customer_id", "attribute_id")

    @property
    def attribute_id(self) -> str:
        """The attribute's id, as names have it."""
        return self.attribute.id


_BY = (Reason.PINNED, Reason.TRUSTED, Reason.LATER, Reason.SURER, *[Reason.ORDER] * 3)


def decided(attribute: Attribute, found: Sequence[Candidate], pinned: Candidate | None) -> list[Judged]:
    """Those that say something, best first: what stands, by what, and by what it comes before others."""
    found = [each for each in found if each.value]
    if pinned is not None and attribute.rule is Rule.MANUAL:
        found = [pinned, *(each for each in found if each.observation_id != pinned.observation_id)]
    else:
        pinned = None

    def key(each: Candidate) -> tuple[object, ...]:
        return each is pinned, attribute.trust(each.teller), *each.strength

    def lost_by(other: Candidate) -> Reason:
        pairs = zip(_BY, key(first), key(other), strict=True)
        return next((why for why, ours, theirs in pairs if ours != theirs), Reason.ORDER)

    if not found:
        return []
    first, *others = sorted(found, key=key, reverse=True)
    lost = [Judged(other, lost_by(other)) for other in others[:OTHERS_MAX]]
    by = Reason.PINNED if pinned else lost[0].reason if lost else Reason.ONLY
    return [Judged(first, by), *lost]


def latest_pin(pins: Sequence[Pin]) -> Pin | None:
    """Of customers who were merged, what was pinned last."""
    held = [pin for pin in pins if pin.observation_id is not None and pin.pin_time is not None]
    return max(held, key=lambda pin: (pin.pin_time, pin.customer_id), default=None)
