"""From a checked request to the keyword arguments of a use case, which are named as the contract's fields.

    field                                   parameter
    name, cases/{case}/notes/{...}          case_id, note_id: UUID, or str where people choose ids
    parent                                  the same, of the parent
    owner, another resource                 owner_id; or owner: str, the name itself, if that is asked for
    names                                   case_ids: list[UUID]
    a resource, as in a Create              its fields; or one parameter of its name: a dataclass
    a resource with an update_mask          its ids, etag, and changes: Changes of a dataclass, which has each
                                            field that the mask can name; the same of what is given too, under
                                            its name, if that is asked for
    Timestamp, Date, Duration               datetime, date, timedelta
    Money, amount                           amount: Decimal and amount_currency: str
    Decimal                                 Decimal
    enum                                    a StrEnum with the same values
    a text for people                       str, empty when there is nothing to see
    bytes                                   bytes
    a number that is `optional`             int or float, None when it is absent
    another message                         a dataclass, whose fields follow the same rules
    repeated, map                           list, dict

What is not REQUIRED and absent is None, or as proto3 has it: "", 0, False, []. Ids, times, days, enums and
messages are the former. A field that no parameter takes, a parameter without default that no field gives, and
a type that is another are TypeErrors, when the service starts.
"""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from types import NoneType
from typing import Any, TypeVar, cast
from uuid import UUID

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.api.messages import Value, date_of, decimal, exact, ids_of, is_prose, member, moment, seen
from chassis.api.resources import behavior, changeable, chosen, is_ours, is_resource, referred, updated
from chassis.facts import Changes
from rapport.options.v1 import options_pb2

T = TypeVar("T")
Values = Callable[[Any], dict[str, Any]]
_NO_MASK = FieldMask()
_HANDLED = {"request_id", "update_mask"}  # by who answers repeats, and by `changes`
_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_FLOAT: float,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
}
_KNOWN: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "google.protobuf.Timestamp": (datetime, moment),
    "google.type.Date": (date, date_of),
    "google.protobuf.Duration": (timedelta, lambda sent: sent.ToTimedelta()),
    "google.type.Decimal": (Decimal, exact),
    "google.type.Money": (Decimal, decimal),
}


def into(message: type[Message], target: Callable[..., T]) -> Callable[[Any], T]:
    """What makes a `target`, a dataclass, of a message of that type. TypeError when they do not fit."""
    values = decoder(message.DESCRIPTOR, target)
    return lambda sent: target(**values(sent))


def decoder(message: Any, target: Callable[..., Any], *, is_item: bool = False) -> Values:
    """What reads the arguments of `target` from a checked message. TypeError when they do not fit.

    `is_item`: of one that is an item of a batch, also what only such an item says.
    """
    wanted, needed = _wanted(target)
    given = {each.name: each for each in _given(message, wanted, is_item)}
    wrong = [f"{name} is taken by no parameter" for name in given.keys() - wanted.keys()]
    wrong += [f"{name} is no field" for name in needed - given.keys()]
    wrong += [
        f"{name} is {_shown(each.kind)}, not {_shown(wanted[name])}"
        for name, each in given.items()
        if name in wanted and not _fits(each.kind, wanted[name])
    ]
    if wrong:
        raise TypeError(f"{target.__qualname__} does not fit {message.full_name}: {'; '.join(sorted(wrong))}")
    outer = [(each.name, each.read) for each in given.values() if not each.inside]
    inside = {each.inside for each in given.values() if each.inside}
    if not inside:
        return lambda sent: {name: read(sent) for name, read in outer}
    (part,) = inside  # one resource, taken apart
    inner = [(each.name, each.read) for each in given.values() if each.inside]

    def values(sent: Any) -> dict[str, Any]:
        resource = getattr(sent, part)
        found = {name: read(resource) for name, read in inner}
        for name, read in outer:
            found[name] = read(sent)
        return found

    return values


def _wanted(target: Callable[..., Any]) -> tuple[dict[str, Any], set[str]]:
    """The types of what a function takes by keyword alone, or of a class's fields; and which it must have."""
    hints = typing.get_type_hints(target)
    parameters = inspect.signature(target).parameters.values()
    if not inspect.isclass(target):
        parameters = [each for each in parameters if each.kind is each.KEYWORD_ONLY]  # type: ignore[assignment]
    wanted = {each.name: hints[each.name] for each in parameters}
    return wanted, {each.name for each in parameters if each.default is each.empty}


def _given(message: Any, wanted: Mapping[str, Any], is_item: bool = False) -> Iterator[Value]:
    """What a message gives, a resource inside it taken apart unless it is wanted as a whole."""
    changed = updated(message)
    for field in message.fields:
        options = field.GetOptions().Extensions[options_pb2.allowed]
        if (
            field.name in _HANDLED
            or is_ours(field)
            or _is_etag(field)
            or (options.batch_only and not is_item)
        ):
            continue
        if field is changed:
            yield from _changed(message, cast(Any, field), wanted)
        if not is_resource(field.message_type) or field.is_repeated:
            yield from _values(field, wanted)
        elif field is not changed and field.name in wanted:
            yield _message(field, wanted[field.name])
        elif field is not changed:
            for each in _given(field.message_type, wanted):
                yield each._replace(inside=field.name)


def _is_etag(field: FieldDescriptor) -> bool:
    """Whether a field is a resource's version: a request has it of its own, or changes the resource."""
    return field.name == "etag" and is_resource(field.containing_type)


def _changed(request: Descriptor, field: FieldDescriptor, wanted: Mapping[str, Any]) -> Iterator[Value]:
    """Which resource an update changes, and what of it."""
    name, inner = field.name, cast(Any, field.message_type)
    for each in inner.fields:
        if each.name in ("name", "etag"):
            for value in _values(each, wanted, is_required=each.name == "name"):
                yield value._replace(inside=name)
    allowed, hint = changeable(request, inner), wanted.get("changes")
    (entity,) = typing.get_args(hint) if typing.get_origin(hint) is Changes else (None,)
    types = typing.get_type_hints(entity) if is_dataclass(entity) else {}
    given = {path: list(_values(inner.fields_by_name[path], types)) for path in allowed}
    kinds = {value.name: value.kind for values in given.values() for value in values}
    reads = {path: [(value.name, value.read) for value in values] for path, values in given.items()}
    if lacking := {each: kind for each, kind in kinds.items() if not _takes(types.get(each), kind)}:
        raise TypeError(f"changes of {request.full_name} must be Changes of what has {lacking}, not {hint}")

    def of(sent: Any, mask: FieldMask) -> dict[str, Any]:
        inside = getattr(sent, name)
        paths = chosen(mask, inside, allowed) or ()
        return {each: read(inside) for path in paths for each, read in reads[path]}

    yield Value("changes", hint, lambda sent: of(sent, sent.update_mask))
    if name in wanted:  # all that is given of one that may be new; of others only the changes were checked
        yield Value(name, hint, lambda sent: of(sent, _NO_MASK if sent.allow_missing else sent.update_mask))


def _takes(hint: Any, kind: Any) -> bool:
    """Whether a field is of a kind; what is absent is refused before where an entity has to have it."""
    return hint is not None and hint in (kind, _without_none(kind))


def _values(
    field: FieldDescriptor, wanted: Mapping[str, Any], is_required: bool | None = None
) -> Iterator[Value]:
    """What one field gives: of a name every id, of an amount its currency as well."""
    if is_required is None:
        is_required = field_behavior_pb2.REQUIRED in behavior(field)
    name, pattern = field.name, referred(field)
    if pattern is not None and name not in wanted:
        yield from ids_of(name, pattern, is_required, field.is_repeated)
        return
    hint = wanted.get(name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        yield Value(name, dict[str, str], lambda sent: dict(getattr(sent, name)))
        return
    kind: Any
    if field.is_repeated:
        (item,) = typing.get_args(hint) or (None,)
        kind, convert = _kind(field, item)
        read = convert or (lambda each: each)
        yield Value(name, list[kind], lambda sent: [read(each) for each in getattr(sent, name)])
        return
    kind, convert = _kind(field, _without_none(hint))
    if field.message_type is None and _is_optional(field):
        yield Value(name, kind | None, lambda sent: getattr(sent, name) if sent.HasField(name) else None)
    elif field.message_type is not None:
        yield _of_message(name, kind, convert, is_required)
        if field.message_type.full_name == "google.type.Money":
            yield Value(f"{name}_currency", str, lambda sent: getattr(sent, name).currency_code)
    elif convert is None:
        yield Value(name, kind, attrgetter(name))
    elif is_required or kind is str:
        yield Value(name, kind, lambda sent: convert(getattr(sent, name)))
    else:
        yield Value(
            name, kind | None, lambda sent: convert(value) if (value := getattr(sent, name)) else None
        )


def _is_optional(field: FieldDescriptor) -> bool:
    """Whether it is declared `optional`: then it is absent, or says its zero."""
    oneof: Any = field.containing_oneof
    return oneof is not None and oneof.name == f"_{field.name}"


def _of_message(name: str, kind: Any, convert: Any, is_required: bool) -> Value:
    if is_required:
        return Value(name, kind, lambda sent: convert(getattr(sent, name)))
    return Value(
        name, kind | None, lambda sent: convert(getattr(sent, name)) if sent.HasField(name) else None
    )


def _message(field: FieldDescriptor, hint: Any) -> Value:
    """A resource as a whole."""
    kind, convert = _kind(field, _without_none(hint))
    return _of_message(field.name, kind, convert, hint is kind)


def _kind(field: FieldDescriptor, hint: Any) -> tuple[Any, Callable[[Any], Any] | None]:
    """The type of a field's value, the hinted one where there is a choice; how to make it if it is none."""
    options: Any = field.GetOptions()
    if field.enum_type is not None:
        return member(field, hint)
    if field.message_type is not None:
        if known := _KNOWN.get(field.message_type.full_name):
            return known
        if not callable(hint):
            raise TypeError(f"{field.full_name} needs a parameter that is a dataclass")
        values = decoder(field.message_type, hint, is_item=field.is_repeated)
        return hint, lambda sent: hint(**values(sent))
    if options.Extensions[options_pb2.allowed].format == options_pb2.FORMAT_UUID:
        return UUID, UUID
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes, None
    kind = _SCALARS.get(field.cpp_type, int)
    return kind, seen if kind is str and is_prose(field) else None


def _without_none(hint: Any) -> Any:
    options = typing.get_args(hint)
    return next(each for each in options if each is not NoneType) if NoneType in options else hint


def _fits(kind: Any, wanted: Any) -> bool:
    """Whether a parameter of the type `wanted` takes a `kind`."""
    if typing.get_origin(wanted) is Sequence:
        return typing.get_origin(kind) is list and typing.get_args(kind) == typing.get_args(wanted)
    return bool(kind == wanted)


def _shown(kind: Any) -> str:
    return kind.__name__ if inspect.isclass(kind) and not typing.get_args(kind) else str(kind)
