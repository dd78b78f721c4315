"""From a message of a contract to the cells of a row: every field a column, none left out but the version."""

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.api.messages import decimal, enum_name, moment
from chassis.money import Currency

# What a cell holds: of several values one on each line.
Cell = str | int | bool | Decimal | Sequence[str]
Read = Callable[[Any], Cell]
_WITHOUT = frozenset({"etag"})
_DEPTH_MAX = 2  # of messages within messages; what is further in is JSON


def columns_of(of: Descriptor, without: frozenset[str] = frozenset()) -> dict[str, Read]:
    """The columns of a message, by name, each with what reads it: parts of what it holds under its name."""
    return {name: read for name, read in _columns(of, "", 0) if name not in without}


def _columns(of: Descriptor, prefix: str, depth: int) -> Iterator[tuple[str, Read]]:
    for field in of.fields:
        if field.name not in _WITHOUT:
            yield from _column(field, f"{prefix}{field.name}", depth)


def _column(field: FieldDescriptor, name: str, depth: int) -> Iterator[tuple[str, Read]]:
    of, kind = field.name, field.message_type
    if field.is_repeated:
        yield name, lambda message: _several(field, getattr(message, of))
    elif kind is None:
        yield name, lambda message: "" if _absent(field, message) else _plain(field, getattr(message, of))
    elif kind.full_name == "google.type.Money":
        yield name, lambda message: amount(getattr(message, of)) if message.HasField(of) else ""
        yield f"{name}_currency", lambda message: getattr(message, of).currency_code
    elif kind.full_name in _KNOWN:
        show = _KNOWN[kind.full_name]
        yield name, lambda message: show(getattr(message, of)) if message.HasField(of) else ""
    elif depth == _DEPTH_MAX or kind.full_name.startswith("google."):
        yield name, lambda message: as_json(getattr(message, of)) if message.HasField(of) else ""
    else:
        for inner, read in _columns(kind, f"{name}_", depth + 1):
            yield inner, partial(_within, of, read)


def _within(name: str, read: Read, message: Any) -> Cell:
    return read(getattr(message, name))


def _absent(field: FieldDescriptor, message: Message) -> bool:
    """Whether it is one of several that the message has another of, or none."""
    return field.has_presence and not message.HasField(field.name)


def _several(field: FieldDescriptor, values: Any) -> Cell:
    if field.message_type and field.message_type.GetOptions().map_entry:
        return json.dumps(dict(values), sort_keys=True, ensure_ascii=False) if values else ""
    if field.message_type:
        show = _KNOWN.get(field.message_type.full_name, as_json)
        return [f"{show(value)}" for value in values]
    return [f"{_plain(field, value)}" for value in values]


def _plain(field: FieldDescriptor, value: Any) -> Cell:
    """Of an enum `kept_late`, and nothing where nothing is said."""
    if field.enum_type:
        return enum_name(field.enum_type, value).lower() if value else ""
    return value if isinstance(value, str | bool | int) else f"{value}"


def _state(message: Any) -> str:
    return f"({_plain(message.DESCRIPTOR.fields_by_name['state'], message.state)})"


def as_json(message: Message) -> str:
    """A message in one line, fields named as in the contracts."""
    told = MessageToDict(message, preserving_proto_field_name=True)
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def at(time: Any) -> str:
    """A moment, `2026-03-02T09:30:00+00:00`."""
    return moment(time).isoformat()


def day(date: Any) -> str:
    """A date as far as it is known: `2026-03-02`, `2026-03`, `2026`, `--03-02`; empty for none."""
    if not date.year:
        return f"--{date.month:02}-{date.day:02}" if date.month else ""
    parts = [f"{date.year:04}", *(f"{part:02}" for part in (date.month, date.day) if part)]
    return "-".join(parts)


def amount(money: Any) -> Decimal:
    """An amount with all decimals of its currency."""
    exact = decimal(money)
    try:
        decimals = Currency.of(money.currency_code).decimals
    except ValueError:
        return exact.normalize()
    return round(exact, decimals)


_KNOWN: dict[str, Callable[[Any], Cell]] = {
    "google.protobuf.Timestamp": at,
    "google.protobuf.Duration": lambda span: span.ToJsonString(),
    "google.type.Date": day,
    "google.type.Decimal": lambda number: Decimal(number.value or "0"),
    # A file by its name; of one that is gone, what became of it.
    "rapport.customer.v1.AttachedFile": lambda file: file.display_name or _state(file),
}
