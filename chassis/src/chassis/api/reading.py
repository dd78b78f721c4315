"""How single values of a request are read as Python has them: ids of names, members of enums, texts."""

import enum
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import FieldDescriptor

from chassis.api.messages import enum_name
from chassis.api.resources import referred
from chassis.names import Pattern
from chassis.visible import shows_something
from rapport.options.v1 import options_pb2


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
    """Of a field that is absent, where it may be, None."""
    ids = pattern.ids
    return lambda sent: ids(value)[i] if (value := getattr(sent, name)) else None


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
