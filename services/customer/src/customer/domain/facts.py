"""What the customer service tells: one dataclass for each message of `customer_events.proto`, same fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from customer.domain.consents import ConsentStatus, Purpose
from customer.domain.identifiers import IdentifierType
from customer.domain.timeline import Channel, Direction


@dataclass(frozen=True, slots=True)
class CustomerCreated:
    """A customer was created."""

    customer: str
    relationship_manager: str


@dataclass(frozen=True, slots=True)
class CustomerUpdated:
    """Fields of a customer changed."""

    customer: str
    updated_fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class IdentifierAdded:
    """A customer got a handle."""

    identifier: str
    customer: str
    type: IdentifierType


@dataclass(frozen=True, slots=True)
class IdentifierRemoved:
    """A customer lost a handle."""

    identifier: str
    customer: str
    type: IdentifierType


@dataclass(frozen=True, slots=True)
class InteractionRecorded:
    """A customer and we were in contact."""

    timeline_entry: str
    customer: str
    channel: Channel
    direction: Direction
    topic: str


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """A customer allowed or forbade contact."""

    consent: str
    customer: str
    purpose: Purpose
    channel: Channel
    status: ConsentStatus


@dataclass(frozen=True, slots=True)
class PreferencesChanged:
    """A customer changed how they want to be reached."""

    preferences: str
    customer: str


@dataclass(frozen=True, slots=True)
class ManagerAssigned:
    """A customer got a new named human."""

    customer: str
    relationship_manager: str
