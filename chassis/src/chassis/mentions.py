"""What a message or an error is about: the names of resources and customers in it, for the audit."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from google.api import resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

# The fields by which requests and answers say what they are about; whom, those that refer to a customer say.
ONE = ("name", "parent", "account")
MANY = ("names", "accounts")
TEXTS = ("filter", "description")  # names in words: who asks is told, also when nothing is found
_IN_WORDS = re.compile(r"\b[A-Za-z]+/[0-9a-f-]{36}\b")
_CUSTOMER = re.compile(r"customers/[0-9a-f-]{36}")
_NAME = re.compile(r"[a-z][A-Za-z]*(?:/[\w.~-]+)+")  # a customer's view has no id of its own


class _Plan(NamedTuple):
    one: tuple[str, ...]
    many: tuple[str, ...]
    part: tuple[str, ...]
    parts: tuple[str, ...]
    texts: tuple[str, ...]
    maps: tuple[str, ...]


def mentioned(message: Any) -> Iterator[str]:
    """The names in a message, and in the messages inside one that has none of its own, such as a page."""
    plan = _plan(message.DESCRIPTOR)
    for field in plan.one:
        if value := getattr(message, field):
            yield value
    for field in plan.many:
        yield from getattr(message, field)
    for field in plan.texts:
        yield from _IN_WORDS.findall(getattr(message, field))
    for field in plan.maps:  # what an explanation rests on
        yield from filter(_CUSTOMER.fullmatch, getattr(message, field).values())
    for field in plan.part:
        if message.HasField(field):
            yield from mentioned(getattr(message, field))
    for field in plan.parts:
        for each in getattr(message, field):
            yield from mentioned(each)


def mentioned_by(metadata: Mapping[str, str]) -> list[str]:
    """The names of resources in the metadata of an error, also several with commas between."""
    return [each for value in metadata.values() for each in value.split(", ") if _NAME.fullmatch(each)]


@functools.cache
def _plan(message: Descriptor) -> _Plan:
    texts = {f.name: f.is_repeated for f in message.fields if f.type == FieldDescriptor.TYPE_STRING}
    inner = [] if "name" in texts else [f for f in message.fields if _is_ours(f)]
    whom = {f.name for f in message.fields if _refers_to(f) == "customer.rapport/Customer"}
    return _Plan(
        tuple(name for name, is_many in texts.items() if not is_many and name in whom.union(ONE)),
        tuple(name for name, is_many in texts.items() if is_many and name in whom.union(MANY)),
        tuple(f.name for f in inner if not f.is_repeated),
        tuple(f.name for f in inner if f.is_repeated),
        tuple(name for name in TEXTS if texts.get(name) is False),
        tuple(f.name for f in message.fields if _is_texts(f)),
    )


def _refers_to(field: FieldDescriptor) -> str:
    kind: str = field.GetOptions().Extensions[resource_pb2.resource_reference].type
    return kind


def _is_texts(field: FieldDescriptor) -> bool:
    entry = field.message_type
    if entry is None or not entry.GetOptions().map_entry:
        return False
    return entry.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING


def _is_ours(field: FieldDescriptor) -> bool:
    inner = field.message_type
    return inner is not None and inner.full_name.startswith("rapport.") and not inner.GetOptions().map_entry
