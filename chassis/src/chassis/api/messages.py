"""Copying between plain Python objects and protobuf messages, field by field of the same name.

* datetime            <->  google.protobuf.Timestamp
* date                <->  google.type.Date
* timedelta           <->  google.protobuf.Duration
* StrEnum "AT_RISK"   <->  enum PROMISE_STATE_AT_RISK (the prefix is the enum's own name); "" is UNSPECIFIED
* Decimal + currency  <->  google.type.Money: `amount` and `amount_currency` (see `money` and `decimal`)
* Decimal             <->  google.type.Decimal
* dataclass           ->   message

And how single values of a request are read: ids of names, members of enums, texts for people.
"""

import enum
import functools
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

from google.protobuf import duration_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import decimal_pb2
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.api.resources import referred
from chassis.money import Currency
from chassis.names import Pattern
from chassis.visible import shows_something
from rapport.options.v1 import options_pb2

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
    return Date(year=on.year, month=on.month, day=on.day)


def date_of(day: Date) -> date:
    """The day as Python has it. ValueError when it is none, or only a year or a month."""
    return date(day.year, day.month, day.day)


def duration(span: timedelta | None) -> duration_pb2.Duration | None:
    """The span as protobuf has it, to the microsecond; None for none."""
    if span is None:
        return None
    sent = duration_pb2.Duration()
    sent.FromTimedelta(span)
    return sent


def money(amount: Decimal, currency: str) -> Money:
    """An amount of money as protobuf has it. Exact to nine decimals."""
    units = int(amount)
    return Money(currency_code=currency, units=units, nanos=int((amount - units) * _NANOS))


def decimal(amount: Money) -> Decimal:
    return Decimal(amount.units) + Decimal(amount.nanos).scaleb(-9)


def exact(number: decimal_pb2.Decimal) -> Decimal:
    """The number as Python has it. ArithmeticError when it is none, or has no end."""
    value = Decimal(number.value)
    if not value.is_finite():
        raise InvalidOperation(f"{value} is no number")
    return value


def exact_number(number: Decimal) -> decimal_pb2.Decimal:
    """The number as protobuf has it, without an exponent."""
    return decimal_pb2.Decimal(value=f"{number:f}")


def shown_amount(amount: Money, grouped: str = "") -> str:
    """An amount with the decimals of its currency, `1.235 KWD`; `grouped` is put between thousands.

    In a currency that only another release knows it has its own decimals.
    """
    value, code = decimal(amount), amount.currency_code
    try:
        return f"{value:{grouped}.{Currency.of(code).decimals}f} {code}"
    except ValueError:
        return f"{value:{grouped}f} {code}".strip()


def to_message(cls: type[M], source: Any, **overrides: Any) -> M:
    """A message of `cls` from the attributes of `source` that have the same names, and from `overrides`.

    What the source has no attribute for is made of its ids, `customer` of `customer_id` and `name` of `id`,
    with those of what it belongs to; `etag` of `version`. None leaves a field unset. Raises TypeError for an
    override that is no field.
    """
    message = cls()
    for name, read, put in _fields(cls.DESCRIPTOR, type(source), source):
        value = overrides.pop(name) if name in overrides else read(source)
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
    """What the names of all values begin with; nothing of Google's, such as `DayOfWeek`."""
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return prefix if all(value.name.startswith(prefix) for value in enum.values) else ""


_Field = tuple[str, Callable[[Any], Any], Callable[[Message, Any], None]]
_known: dict[tuple[Any, type], list[_Field]] = {}


def _fields(message: Any, kind: type, example: Any) -> list[_Field]:
    """For each field its name, how it is read from objects of a kind, and how it is put into the message."""
    if (message, kind) not in _known:
        _known[message, kind] = [
            (field.name, _reader(field, example), _setter(field)) for field in message.fields
        ]
    return _known[message, kind]


def _reader(field: FieldDescriptor, source: Any) -> Callable[[Any], Any]:
    name, pattern = field.name, None if field.is_repeated else referred(field)
    if _is_money(field) and hasattr(source, currency := f"{name}_currency"):
        amount = attrgetter(name, currency)
        return lambda source: money(*of) if (of := amount(source))[0] is not None else None
    if not hasattr(source, name):
        if name == "etag" and hasattr(source, "version"):
            return lambda source: f'"{source.version}"' if source.version else None
        if pattern is not None and (ids := _ids(name, pattern, source)):
            return lambda source: pattern.format(*each) if None not in (each := ids(source)) else None
    return lambda source: getattr(source, name, None)


def _is_money(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == Money.DESCRIPTOR.full_name


def _ids(name: str, pattern: Pattern, source: Any) -> Callable[[Any], tuple[Any, ...]] | None:
    """What reads the ids of a resource's name from an object; None when it does not have them."""
    *above, last = pattern.variables
    choices = [[f"{name}_{each}_id", f"{each}_id"] for each in above]
    choices.append(["id", f"{last}_id"] if name == "name" else [f"{name}_id"])
    found = [next((each for each in some if hasattr(source, each)), None) for some in choices]
    if None in found:
        return None
    return lambda source: tuple(getattr(source, each) for each in found)  # type: ignore[arg-type]


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
    if field.message_type.full_name == decimal_pb2.Decimal.DESCRIPTOR.full_name:
        return lambda value: value if isinstance(value, Message) else exact_number(value)
    if field.message_type.full_name == duration_pb2.Duration.DESCRIPTOR.full_name:
        return lambda value: value if isinstance(value, Message) else duration(value)
    cls = GetMessageClass(field.message_type)
    return lambda value: value if isinstance(value, Message) else to_message(cls, value)


class Value(NamedTuple):
    """A parameter that a message gives: its name and type, how to read it, and from which message inside."""

    name: str
    kind: Any
    read: Callable[[Any], Any]
    inside: str = ""


def ids_of(name: str, pattern: Pattern, is_required: bool, is_repeated: bool) -> Iterator[Value]:
    """The ids in a field that names a resource, or in one that names several."""
    *above, last = pattern.variables
    kind: Any
    if is_repeated:
        yield _ids_of_many(f"{last if name == 'names' else name.removesuffix('s')}_ids", name, pattern)
        return
    own = name in ("name", "parent")
    names = [*(each if own else f"{name}_{each}" for each in above), last if own else name]
    for i, (each, kind) in enumerate(zip(names, pattern.kinds, strict=True)):
        yield Value(f"{each}_id", kind if is_required else kind | None, _id_reader(name, pattern, i))


def _ids_of_many(ids: str, name: str, pattern: Pattern) -> Value:
    if len(pattern.kinds) == 1:
        one: Any = list[pattern.kinds[0]]  # type: ignore[name-defined]
        return Value(ids, one, lambda sent: [pattern.parse(each)[0] for each in getattr(sent, name)])
    several: Any = list[tuple[pattern.kinds]]  # type: ignore[name-defined]
    return Value(ids, several, lambda sent: [pattern.parse(each) for each in getattr(sent, name)])


def _id_reader(name: str, pattern: Pattern, i: int) -> Callable[[Any], Any]:
    """Of a field that is absent, where it may be, None. INVALID_NAME for a version of what is meant."""
    parse = pattern.parse
    return lambda sent: parse(value, name)[i] if (value := getattr(sent, name)) else None


def member(field: FieldDescriptor, hint: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The StrEnum that is hinted, and how to find its member for a number. TypeError for any other hint."""
    described = cast(Any, field.enum_type)
    names = {number: enum_name(described, number) for number in described.values_by_number}
    if not (inspect.isclass(hint) and issubclass(hint, enum.StrEnum)):
        raise TypeError(
            f"{field.full_name} needs a parameter that is a StrEnum of {', '.join(names.values())}"
        )
    members = {number: hint(name) for number, name in names.items() if number}
    return hint, members.__getitem__


def seen(text: str) -> str:
    """A text for people, empty when there is nothing to see."""
    return text if shows_something(text) else ""


def is_prose(field: FieldDescriptor) -> bool:
    """Whether a text is for people: then one without anything to see is absent."""
    options: Any = field.GetOptions()
    has_form = options.Extensions[options_pb2.allowed].format or field.name in ("etag", "request_id")
    return not has_form and referred(field) is None
