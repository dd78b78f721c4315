"""What no text holds, in any field of any request: control characters.

They are no text: PostgreSQL stores no NUL, terminals obey ESC, mail headers end at a line's end. Text may be of
several lines and have tabs; what must be of one line says so where it is checked. Lone surrogates never get
this far: they are not UTF-8, so gRPC's decoder refuses the message.
"""

import functools
import re
from collections.abc import Iterator

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
    violations = [Violation(path, "INVALID_TEXT", ALLOWED) for path in _bad(request)]
    if violations:
        raise InvalidArgument(violations)


def _bad(message: Message) -> Iterator[str]:
    for name, is_message, is_many, is_map in _texts(message.DESCRIPTOR):
        value = getattr(message, name)
        if is_map:
            if any(NOT_TEXT.search(f"{key}{text}") for key, text in value.items()):
                yield name
        elif is_message and is_many:
            for i, item in enumerate(value):
                yield from (f"{name}[{i}].{path}" for path in _bad(item))
        elif is_message:
            if message.HasField(name):
                yield from (f"{name}.{path}" for path in _bad(value))
        elif is_many:
            yield from (f"{name}[{i}]" for i, item in enumerate(value) if NOT_TEXT.search(item))
        elif value and NOT_TEXT.search(value):
            yield name


@functools.cache
def _texts(message: Descriptor) -> list[tuple[str, bool, bool, bool]]:
    """The fields that are text or hold some: name, whether they are messages, many, a map of texts."""
    found = []
    for field in message.fields:
        if _has_text(field, frozenset()) and not field.GetOptions().Extensions[options_pb2.judged_apart]:
            inner = field.message_type
            is_map = inner is not None and inner.GetOptions().map_entry
            found.append((field.name, inner is not None, field.is_repeated, is_map))
    return found


def _has_text(field: FieldDescriptor, above: frozenset[str]) -> bool:
    inner = field.message_type
    if inner is None:
        return field.type == FieldDescriptor.TYPE_STRING
    return inner.full_name not in above and any(
        _has_text(each, above | {inner.full_name}) for each in inner.fields
    )
