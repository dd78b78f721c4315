"""What no text holds, in any field of any request: control characters.

They are no text: PostgreSQL stores no NUL, terminals obey ESC, mail headers end at a line's end. Text may be
of several lines and have tabs; what must be of one line says so where it is checked. Lone surrogates never
get this far: they are not UTF-8, so gRPC's decoder refuses the message.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import InvalidArgument, Violation
from rapport.options.v1 import options_pb2

ALLOWED = "must hold no control characters but newline and tab"
# C0 but newline and tab, DEL, C1 and surrogates: none is text; PostgreSQL stores neither NUL nor surrogates.
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def check_texts(request: Message) -> None:
    """Raise InvalidArgument INVALID_TEXT with the path of every text that holds control characters.

    A field with the option `judged_apart` is left to whoever answers for each of its items.
    """
    texts: list[str] = []
    plan = _plan(request.DESCRIPTOR)
    _gather(request, plan, texts)
    if NOT_TEXT.search("\n".join(texts)):  # one search for all: nearly always, there is nothing to find
        raise InvalidArgument([Violation(path, "INVALID_TEXT", ALLOWED) for path in _bad(request, plan)])


@dataclass
class _Plan:
    """The fields of a message that are text or hold some, by how they hold it."""

    one: list[str] = field(default_factory=list)
    many: list[str] = field(default_factory=list)
    map: list[str] = field(default_factory=list)
    message: "list[tuple[str, _Plan]]" = field(default_factory=list)
    messages: "list[tuple[str, _Plan]]" = field(default_factory=list)


def _gather(message: Any, plan: _Plan, texts: list[str]) -> None:
    for name in plan.one:
        texts.append(getattr(message, name))
    for name in plan.many:
        texts.extend(getattr(message, name))
    for name in plan.map:
        for item in getattr(message, name).items():
            texts.extend(map(str, item))
    for name, inner in plan.message:
        if message.HasField(name):
            _gather(getattr(message, name), inner, texts)
    for name, inner in plan.messages:
        for each in getattr(message, name):
            _gather(each, inner, texts)


def _bad(message: Any, plan: _Plan) -> Iterator[str]:
    """The paths of the texts that are none. Of a map its own: a key may be what is wrong, or personal."""
    yield from (name for name in plan.one if NOT_TEXT.search(getattr(message, name)))
    for name in plan.many:
        yield from (f"{name}[{i}]" for i, text in enumerate(getattr(message, name)) if NOT_TEXT.search(text))
    for name in plan.map:
        if any(NOT_TEXT.search(f"{key}{text}") for key, text in getattr(message, name).items()):
            yield name
    for name, inner in plan.message:
        yield from (f"{name}.{path}" for path in _bad(getattr(message, name), inner))
    for name, inner in plan.messages:
        for i, each in enumerate(getattr(message, name)):
            yield from (f"{name}[{i}].{path}" for path in _bad(each, inner))


@functools.cache
def _plan(message: Descriptor) -> _Plan:
    plan = _Plan()
    for each in message.fields:
        inner = each.message_type
        if not _has_text(each, frozenset()) or each.GetOptions().Extensions[options_pb2.judged_apart]:
            continue
        if inner is None:
            (plan.many if each.is_repeated else plan.one).append(each.name)
        elif inner.GetOptions().map_entry:
            plan.map.append(each.name)
        else:
            (plan.messages if each.is_repeated else plan.message).append((each.name, _plan(inner)))
    return plan


def _has_text(each: FieldDescriptor, above: frozenset[str]) -> bool:
    inner = each.message_type
    if inner is None:
        return each.type == FieldDescriptor.TYPE_STRING
    return inner.full_name not in above and any(
        _has_text(part, above | {inner.full_name}) for part in inner.fields
    )
