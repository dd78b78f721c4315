"""Copying between plain Python objects and protobuf messages, field by field of the same name.

* datetime            <->  google.protobuf.Timestamp
* date                <->  google.type.Date
* StrEnum "AT_RISK"   <->  enum PROMISE_STATE_AT_RISK (the prefix is the enum's own name); "" is UNSPECIFIED
* Decimal + currency  <->  google.type.Money (see `money` and `decimal`)
* dataclass           ->   message
"""

import functools
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

M = TypeVar("M", bound=Message)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = Decimal(10) ** 9


def timestamp(at: datetime) -> Timestamp:
    """The moment as protobuf has it, to the microsecond."""
    delta = at - _EPOCH
    return Timestamp(seconds=delta.days * 86400 + delta.seconds, nanos=delta.microseconds * 1000)


def moment(at: Timestamp) -> datetime:
    """The moment as Python has it, to the microsecond. OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=at.seconds, microseconds=at.nanos // 1000)


def day(on: date) -> Date:
    """The day as protobuf has it."""
    return Date(year=on.year, month=on.month, day=on.day)


def date_of(day: Date) -> date:
    """The day as Python has it. ValueError when it is none, or only a year or a month."""
    return date(day.year, day.month, day.day)


def money(amount: Decimal, currency: str) -> Money:
    """An amount of money as protobuf has it. Exact to nine decimals."""
    units = int(amount)
    return Money(currency_code=currency, units=units, nanos=int((amount - units) * _NANOS))


def decimal(amount: Money) -> Decimal:
    """An amount of money as Python counts it."""
    return Decimal(amount.units) + Decimal(amount.nanos).scaleb(-9)


def to_message(cls: type[M], source: Any, **overrides: Any) -> M:
    """A message of `cls` from the attributes of `source` that have the same names, and from `overrides`.

    None leaves a field unset. Raises TypeError for an override that is no field.
    """
    message = cls()
    setters = _setters(cls.DESCRIPTOR)
    for name, put in setters.items():
        value = overrides.pop(name) if name in overrides else getattr(source, name, None)
        if value is not None:
            put(message, value)
    if overrides:
        raise TypeError(f"{cls.DESCRIPTOR.name} has no field {', '.join(overrides)}")
    return message


def enum_name(enum: EnumDescriptor, number: int) -> str:
    """The value's name without prefix: `AT_RISK` for `PROMISE_STATE_AT_RISK`; `UNSPECIFIED` when unknown."""
    value = enum.values_by_number.get(number)
    return value.name.removeprefix(_prefix(enum)) if value else "UNSPECIFIED"


def value_name(message: Message, field: str) -> str:
    """The value of an enum field by its name without prefix; "" when it is unset or unknown."""
    number = getattr(message, field)
    enum: Any = message.DESCRIPTOR.fields_by_name[field].enum_type
    return enum_name(enum, number) if number in enum.values_by_number and number else ""


def enum_number(enum: EnumDescriptor, name: str) -> int:
    """The number of the value with that name, prefix left out."""
    return enum.values_by_name[_prefix(enum) + name].number


@functools.cache
def _prefix(enum: EnumDescriptor) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"


@functools.cache
def _setters(message: Descriptor) -> dict[str, Callable[[Message, Any], None]]:
    return {field.name: _setter(field) for field in message.fields}


def _setter(field: Any) -> Callable[[Message, Any], None]:
    name, convert = field.name, _converter(field)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return lambda message, value: getattr(message, name).update(value)
    if field.is_repeated:
        return lambda message, value: getattr(message, name).extend([convert(item) for item in value])
    if field.message_type is not None:
        return lambda message, value: getattr(message, name).CopyFrom(convert(value))
    return lambda message, value: setattr(message, name, convert(value))


def _converter(field: Any) -> Callable[[Any], Any]:
    if field.enum_type is not None:
        enum = field.enum_type
        return lambda value: enum_number(enum, value or "UNSPECIFIED") if isinstance(value, str) else value
    if field.message_type is None:
        return lambda value: value
    if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return lambda value: value if isinstance(value, Message) else timestamp(value)
    if field.message_type.full_name == Date.DESCRIPTOR.full_name:
        return lambda value: value if isinstance(value, Message) else day(value)
    cls = GetMessageClass(field.message_type)
    return lambda value: value if isinstance(value, Message) else to_message(cls, value)
