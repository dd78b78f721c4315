"""What an event says to the timeline of its customer, as attributes: a reader needs no contract for it.

The publisher reads it from the message by the options of its fields (`rapport.options.v1.timeline`):

    ce-customer    customers/{uuid}: whose timeline it is on, from the field `customer`
    ce-occurtime   when it happened, where that is not when it was told
    ce-topic       what it was about, a code
    ce-reason      why it was done, a code
    ce-outcome     how it ended, a code
    ce-department  departments/{department}: whose it is, from the field `department`
    ce-channel     the channel on which the customer was contacted: EMAIL
    ce-direction   who spoke first, where that was not us: INBOUND
    ce-amount      what was paid: 12.50 EUR
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from chassis.api import formats, messages
from chassis.api.wellknown import EARLIEST, LATEST
from chassis.contracts import message_of
from chassis.errors import Malformed
from chassis.names import Pattern
from rapport.common.v1.channel_pb2 import Channel, Direction
from rapport.options.v1 import options_pb2

CUSTOMER = "ce-customer"
TYPE = re.compile(r"(?=.{1,300}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\.[A-Z][A-Za-z0-9]*")
_BY_NAME = {"customer": CUSTOMER, "department": "ce-department"}  # fields that need no option
_AMOUNT = re.compile(r"(-?[0-9]{1,19}(?:\.[0-9]{1,9})?) ([A-Z]{3})", re.ASCII)
_CODE = formats.FORMATS[options_pb2.FORMAT_CODE]
_DEPARTMENT = formats.name(Pattern("departments/{department:code}"))
_FORMS = {"ce-topic": _CODE, "ce-reason": _CODE, "ce-outcome": _CODE, "ce-department": _DEPARTMENT}
_ENUMS: dict[str, Any] = {each.DESCRIPTOR.full_name: each.DESCRIPTOR for each in (Channel, Direction)}
_TIMESTAMP, _MONEY = "google.protobuf.Timestamp", "google.type.Money"
_KINDS = {
    "ce-occurtime": _TIMESTAMP,
    "ce-amount": _MONEY,
    "ce-channel": Channel.DESCRIPTOR.full_name,
    "ce-direction": Direction.DESCRIPTOR.full_name,
}  # the others are texts
_NAMES = {
    options_pb2.TIMELINE_FIELD_OCCUR_TIME: "ce-occurtime",
    options_pb2.TIMELINE_FIELD_TOPIC: "ce-topic",
    options_pb2.TIMELINE_FIELD_CHANNEL: "ce-channel",
    options_pb2.TIMELINE_FIELD_DIRECTION: "ce-direction",
    options_pb2.TIMELINE_FIELD_AMOUNT: "ce-amount",
    options_pb2.TIMELINE_FIELD_REASON: "ce-reason",
    options_pb2.TIMELINE_FIELD_OUTCOME: "ce-outcome",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What an event says to a timeline, beside what every event says. Empty where it says nothing.

    `occur_time` is when it happened, None when that is when it was told; `amount` is what was paid.
    """

    customer: str = ""
    occur_time: datetime | None = None
    topic: str = ""
    reason: str = ""
    outcome: str = ""
    department: str = ""
    channel: str = ""
    direction: str = ""
    amount: Decimal | None = None
    currency_code: str = ""


NOTHING = Shown()


def attributes(full_name: str, data: bytes) -> dict[str, str]:
    """The attributes of an event; none of one that cannot be read here, which its reader has to judge."""
    message = message_of(full_name)
    if message is None:
        return {}
    try:
        told = message.FromString(data)
        return {name: text for name, read in plan(full_name) if (text := read(told))}
    except (DecodeError, OverflowError):
        return {}


def shown(raw: Mapping[str, str]) -> Shown:
    """What the attributes of an event say. Malformed or ValueError when no entry of a timeline holds one."""
    occurred, amount = raw.get("ce-occurtime"), raw.get("ce-amount")
    paid = _AMOUNT.fullmatch(amount) if amount else None
    if amount and paid is None:
        raise Malformed("an amount that is none")
    if paid:
        # ValueError for more than an amount holds. Which currencies there are, who tells it knows, who may be
        # of a newer release than we are, or have told it long ago.
        messages.money(Decimal(paid[1]), paid[2])
    texts = {name[3:]: formed(raw, name, judge) for name, judge in _FORMS.items() if raw.get(name)}
    return Shown(
        **texts,
        customer=unquote(raw.get(CUSTOMER, "")),
        occur_time=moment(occurred) if occurred else None,
        channel=unquote(raw.get("ce-channel", "")),
        direction=unquote(raw.get("ce-direction", "")),
        amount=Decimal(paid[1]) if paid else None,
        currency_code=paid[2] if paid else "",
    )


def formed(raw: Mapping[str, str], attribute: str, judge: formats.Judge) -> str:
    """The text in an attribute. KeyError without it, Malformed when no field of that form could hold it."""
    text = unquote(raw[attribute])
    if wrong := judge(text):
        raise Malformed(f"{attribute} {wrong[1]}")
    return text


def moment(text: str) -> datetime:
    """The moment in an attribute. Malformed or ValueError when no request could have it, or without zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise Malformed("a time without its zone")
    if not EARLIEST <= at <= LATEST:
        raise Malformed("a time before 1970 or after 2199")
    return at.astimezone(UTC)


@functools.cache
def plan(full_name: str) -> tuple[tuple[str, Callable[[Any], str]], ...]:
    """How each attribute of a message is read. TypeError when a field is described as what it cannot be."""
    message = message_of(full_name)
    fields: Any = message.DESCRIPTOR.fields if message else ()
    named = [(_attribute(field), field) for field in fields]
    found = tuple((name, _reader(name, field)) for name, field in named if name)
    if len(dict(found)) != len(found):
        raise TypeError(f"{full_name} has two fields that are the same to a timeline")
    return found


def forms(message: Any) -> tuple[tuple[str, formats.Judge], ...]:
    """The fields of an event message whose readers take no text of another form, each with its judge."""
    fields = message.DESCRIPTOR.fields
    judged = [(field.name, _FORMS[name]) for field in fields if (name := _attribute(field)) in _FORMS]
    return ((fields[0].name, formats.ANY_NAME), *judged)


def _attribute(field: FieldDescriptor) -> str:
    said = field.GetOptions().Extensions[options_pb2.timeline]
    named = _BY_NAME.get(field.name) if said != options_pb2.TIMELINE_FIELD_NONE else ""
    return named or _NAMES.get(said, "")


def _reader(attribute: str, field: FieldDescriptor) -> Callable[[Any], str]:
    name, kind = field.name, _KINDS.get(attribute, "")
    is_text = field.type == FieldDescriptor.TYPE_STRING
    declared = field.message_type or field.enum_type
    found = declared.full_name if declared else "" if is_text else "another"
    if field.is_repeated or found != kind:
        raise TypeError(f"{field.full_name} must be one {kind or 'string'} to be the {attribute} of an event")
    if kind == _TIMESTAMP:
        return lambda told: messages.moment(getattr(told, name)).isoformat() if told.HasField(name) else ""
    if kind == _MONEY:
        return lambda told: _money(getattr(told, name)) if told.HasField(name) else ""
    if enum := _ENUMS.get(kind):
        return lambda told: messages.enum_name(enum, number) if (number := getattr(told, name)) else ""
    return lambda told: quote(getattr(told, name), safe="/:")


def _money(amount: Any) -> str:
    return f"{messages.decimal(amount):f} {amount.currency_code}"
