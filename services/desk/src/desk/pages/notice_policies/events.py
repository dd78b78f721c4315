"""The events that a policy may name, and what of each it can read: by the contracts that are installed."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.api import resource_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from chassis.contracts import comments
from chassis.events.registry import events, source_of

# Those that tell the dates of promises: their policies say a template alone.
OF_PROMISES = ("rapport.cases.v1.PromiseAtRisk", "rapport.cases.v1.PromiseRecovered")
_OWN = "notifications"  # what tells of itself never ends
_CUSTOMER = "customer.rapport/Customer"
_DAYS = (Timestamp.DESCRIPTOR.full_name, Date.DESCRIPTOR.full_name)


@dataclass(frozen=True)
class Field:
    """A field of an event."""

    name: str
    told: str  # what its contract says of it
    values: Sequence[str] = ()  # of an enum
    is_text: bool = False  # and so may say what the event is about
    is_day: bool = False  # and so may say when a message is sent
    is_customer: bool = False

    @property
    def read(self) -> str:
        """As conditions read it: `event.tier`."""
        return f"event.{self.name}"


@dataclass(frozen=True)
class EventType:
    """An event that a policy may name."""

    name: str  # of its message, in full
    service: str
    told: str  # what its contract says of it
    fields: Sequence[Field]

    def those(self, what: str) -> list[str]:
        """The names of the fields that are it: `is_text`, `is_day`, `is_customer`."""
        return [each.name for each in self.fields if getattr(each, what)]


@functools.cache
def event_types() -> Mapping[str, EventType]:
    """Events that a policy may name, by their full names: of any service but of messages themselves."""
    told = comments()
    return {
        name: EventType(
            name,
            source_of(message),
            _line(told.get(name, "")),
            [_field(each, told) for each in _fields(message)],
        )
        for name, message in sorted(events().items())
        if source_of(message) != _OWN
    }


def _fields(message: Any) -> Sequence[Any]:
    return list(message.DESCRIPTOR.fields)


def _field(field: Any, told: Mapping[str, str]) -> Field:
    is_text = field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
    refers = field.GetOptions().Extensions[resource_pb2.resource_reference].type
    return Field(
        field.name,
        _line(told.get(field.full_name, "")),
        [each.name for each in field.enum_type.values[1:]] if field.enum_type else (),
        is_text,
        not field.is_repeated and field.message_type is not None and field.message_type.full_name in _DAYS,
        is_text and refers == _CUSTOMER,
    )


def _line(comment: str) -> str:
    return " ".join(comment.split())
