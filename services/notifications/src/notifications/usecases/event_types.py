"""Which events policies may name, and which of their fields they can read as what: by what contracts say."""

import functools
import re
from collections.abc import Sequence
from typing import Any

from google.api import resource_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from chassis.contracts import comments
from chassis.errors import invalid
from chassis.events.registry import events, source_of
from notifications.domain.policy import BY_EVENT, takes_call_first
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.trigger_event_pb2 import TriggerEvent

_OWN = "notifications"
_CUSTOMER = "customer.rapport/Customer"
_PROMISED = re.compile(r"(\w+_)?(due|forecast|forecast_finish)_(time|date)")
_DAYS = (Timestamp.DESCRIPTOR.full_name, Date.DESCRIPTOR.full_name)


def event_message(name: str, field: str) -> type[Message]:
    """The message of an event that policies may name. InvalidArgument INVALID_CODE for any other.

    Those of notices are none: what tells of itself never ends.
    """
    message = events().get(name)
    if message is None or source_of(message) == _OWN:
        told = "must be an event of an installed contract, such as rapport.loyalty.v1.TierUpgraded"
        raise invalid(field, "INVALID_CODE", f"{told}, and none of notices")
    return message


@functools.cache
def event_types() -> Sequence[TriggerEvent]:
    """What policies may name, in the order of their names."""
    told = comments()
    return [
        _event_type(message, told) for _, message in sorted(events().items()) if source_of(message) != _OWN
    ]


def _event_type(message: type[Message], told: dict[str, str]) -> TriggerEvent:
    name, fields = message.DESCRIPTOR.full_name, _fields(message)
    means = BY_EVENT.get(name)
    return TriggerEvent(
        event_type=name,
        service=source_of(message),
        description=_line(told.get(name, "")),
        fields=[
            TriggerEvent.Field(
                name=each.name,
                description=_line(told.get(each.full_name, "")),
                values=[value.name for value in each.enum_type.values[1:]] if each.enum_type else (),
            )
            for each in fields
        ],
        customer_fields=customers(message),
        subject_fields=texts(message),
        date_fields=days(message),
        tells_promises=means is not None,
        takes_call_first=takes_call_first(name),
        template_type=Template.Type.Value(f"TYPE_{means.type}") if means else Template.TYPE_UNSPECIFIED,
    )


def customers(message: type[Message]) -> list[str]:
    """The fields that name a customer: `customer`, and what the contract says refers to one."""
    options = {each.name: each.GetOptions() for each in _fields(message)}
    refers = {name: each.Extensions[resource_pb2.resource_reference].type for name, each in options.items()}
    return [name for name in texts(message) if name == "customer" or refers[name] == _CUSTOMER]


def texts(message: type[Message]) -> list[str]:
    """The fields that may name a resource."""
    of_text = FieldDescriptor.TYPE_STRING
    return [each.name for each in _fields(message) if each.type == of_text and not each.is_repeated]


def days(message: type[Message]) -> list[str]:
    """The fields that say a day or a moment, but those of promises."""
    of = {each.name: each.message_type for each in _fields(message) if not each.is_repeated}
    found = [name for name, kind in of.items() if kind is not None and kind.full_name in _DAYS]
    return [name for name in found if name not in promised(message)]


def promised(message: type[Message]) -> list[str]:
    """The fields of an event that say by when something is promised or expected; by now it may be another."""
    of_cases = source_of(message) == "cases"
    return [each for each in message.DESCRIPTOR.fields_by_name if of_cases and _PROMISED.fullmatch(each)]


def _fields(message: type[Message]) -> Sequence[Any]:
    return list(message.DESCRIPTOR.fields)


def _line(comment: str) -> str:
    return " ".join(comment.split())
