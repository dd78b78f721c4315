"""What a department's contract says of its sections: which fields there are, and how each is drawn.

The descriptors are somebody else's input, and none of them is loaded. What is understood of them, flat fields
of a few types, is built anew as a message in a descriptor pool of its own: nothing can clash with our
contracts or stay behind.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2 as proto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.api.formats import text
from chassis.errors import InvalidArgument, Violation
from chassis.visible import shows_something
from rapport.options.v1 import layout_pb2, options_pb2

FIELD = "descriptors"
BYTES_MAX = 64 * 1024
FIELDS_MAX, DRAWN_MAX, LABEL_MAX, ORDER_MAX, NUMBER_MAX, VALUES_MAX = 64, 16, 40, 99, 999, 100
REMEMBERED = 64  # twice as many as there are schemas: those of before and after a change

_LABEL = text(LABEL_MAX)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_MESSAGES = {f".{each.DESCRIPTOR.full_name}": each for each in (Timestamp, Date, Money)}
_F, _C = proto.FieldDescriptorProto, layout_pb2
_WHOLE: tuple[Any, ...] = (_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_UINT32, _F.TYPE_SINT32, _F.TYPE_SINT64)
_WHOLE += (_F.TYPE_FIXED32, _F.TYPE_SFIXED32, _F.TYPE_SFIXED64)
# How a field of each type may be drawn; the first unless it says otherwise.
_FORMATS: Mapping[Any, tuple[Any, ...]] = {
    _F.TYPE_STRING: (_C.CELL_FORMAT_TEXT, _C.CELL_FORMAT_LINK),
    _F.TYPE_ENUM: (_C.CELL_FORMAT_TEXT,),
    **dict.fromkeys(_WHOLE, (_C.CELL_FORMAT_COUNT,)),
    **dict.fromkeys((_F.TYPE_DOUBLE, _F.TYPE_FLOAT), (_C.CELL_FORMAT_NUMBER, _C.CELL_FORMAT_PERCENT)),
    _F.TYPE_BOOL: (_C.CELL_FORMAT_FLAG,),
    ".google.type.Money": (_C.CELL_FORMAT_MONEY,),
    ".google.type.Date": (_C.CELL_FORMAT_DATE,),
    ".google.protobuf.Timestamp": (_C.CELL_FORMAT_TIME,),
}
_TYPES = (
    f"string, bool, double, float, an enum of this set with at most {VALUES_MAX} values, none reserved, a"
)
_TYPES += " whole number of at most 63 bits, google.type.Money, google.type.Date or google.protobuf.Timestamp"


@dataclass(frozen=True, slots=True)
class SectionField:
    """A field of a section's message. `label` is empty when it is not drawn.

    `words` are the values of an enum by their numbers, `no_words` the numbers that it reserves.
    """

    name: str
    number: int
    kind: Any
    is_optional: bool
    words: Mapping[int, str]
    no_words: Sequence[range]
    label: str
    place: int
    format: Any
    alarm: bool

    def misreads(self, earlier: "SectionField | None") -> bool:
        """Whether a value that `earlier` wrote, the field of this number, would be something else."""
        if earlier is None:
            return False
        gone = [range(n, n + 1) for n, word in earlier.words.items() if self.words.get(n) != word]
        gone += earlier.no_words
        is_reserved = all(
            any(span[0] in free and span[-1] in free for free in self.no_words) for span in gone
        )
        return earlier.kind != self.kind or not is_reserved


@dataclass(frozen=True, slots=True)
class SectionLayout:
    """The message that sections hold, its fields, and those of them that are drawn, in order."""

    message: type[Message]
    fields: tuple[SectionField, ...]
    drawn: tuple[SectionField, ...]
    reserved: frozenset[int]

    def misread(self, earlier: "SectionLayout") -> list[int]:
        """The numbers of fields by which this would read something else in what an earlier layout wrote.

        A field keeps its type and the words of its enum; what is gone is reserved, and stays so.
        """
        before = {field.number: field for field in earlier.fields}
        gone = (before.keys() - {field.number for field in self.fields} | earlier.reserved) - self.reserved
        return sorted(gone | {each.number for each in self.fields if each.misreads(before.get(each.number))})


@functools.lru_cache(REMEMBERED)
def section_layout(descriptors: bytes, message_type: str) -> SectionLayout:
    """The layout of a message in a serialised FileDescriptorSet.

    InvalidArgument TOO_LONG, INVALID_SCHEMA or SENSITIVE_IN_SECTION with everything that is wrong.
    """
    if len(descriptors) > BYTES_MAX:
        raise InvalidArgument([Violation(FIELD, "TOO_LONG", f"must be of at most {BYTES_MAX} bytes")])
    try:
        files = proto.FileDescriptorSet.FromString(descriptors).file
    except DecodeError:
        raise _refusal(["must be a serialised FileDescriptorSet"]) from None
    named = ((file, each) for file in files for each in file.message_type)
    found = [(file, each) for file, each in named if f"{file.package}.{each.name}" == message_type]
    if len(found) != 1 or found[0][0].syntax != "proto3":
        raise _refusal(
            ["must hold the message `message_type`, once, not inside another and in a file of proto3"]
        )
    message = found[0][1]
    if faults := list(_faults(message, enums := _enums(files))):
        raise _refusal(faults)
    if any(
        field.options.Extensions[options_pb2.data_class] == options_pb2.DATA_CLASS_SENSITIVE
        for field in message.field
    ):
        allowed = "must not have a field that is DATA_CLASS_SENSITIVE: whoever sees the view would read it"
        raise InvalidArgument([Violation(FIELD, "SENSITIVE_IN_SECTION", allowed)])
    fields = tuple(_field(each, enums) for each in message.field)
    drawn = sorted((each for each in fields if each.label), key=lambda each: (each.place, each.number))
    return SectionLayout(_built(fields), fields, tuple(drawn), _reserved(message))


def _reserved(message: proto.DescriptorProto) -> frozenset[int]:
    spans = (range(max(1, each.start), min(each.end, NUMBER_MAX + 1)) for each in message.reserved_range)
    return frozenset(number for span in spans for number in span)


def _refusal(faults: Iterable[str]) -> InvalidArgument:
    return InvalidArgument([Violation(FIELD, "INVALID_SCHEMA", fault) for fault in faults])


def _enums(files: Iterable[proto.FileDescriptorProto]) -> dict[str, proto.EnumDescriptorProto]:
    """Every enum of the set, as fields refer to it."""
    found: dict[str, proto.EnumDescriptorProto] = {}
    scopes: list[tuple[str, Any]] = [(f".{file.package}", file) for file in files]
    while scopes:
        scope, inside = scopes.pop()
        found |= {f"{scope}.{each.name}": each for each in inside.enum_type}
        nested = inside.nested_type if isinstance(inside, proto.DescriptorProto) else inside.message_type
        scopes += [(f"{scope}.{each.name}", each) for each in nested]
    return found


def _faults(message: proto.DescriptorProto, enums: Mapping[str, proto.EnumDescriptorProto]) -> Iterator[str]:
    if max(len(message.field), len(message.reserved_range)) > FIELDS_MAX:
        yield f"must have a message of at most {FIELDS_MAX} fields and as many reserved ranges"
        return
    seen = Counter(key for field in message.field for key in (field.number, field.name.replace("_", "")))
    if any(count > 1 for count in seen.values()):
        yield "must have fields of different numbers and names"
    reserved = _reserved(message)
    drawn = sum(field.options.HasExtension(layout_pb2.layout) for field in message.field)
    if not 1 <= drawn <= DRAWN_MAX:
        yield f"must have 1 to {DRAWN_MAX} fields with a layout"
    for field in message.field:
        named = _IDENTIFIER.fullmatch(field.name)
        what = f"field {field.name if named else field.number}: "
        if not named or not 1 <= field.number <= NUMBER_MAX or field.number in reserved:
            yield f"{what}must have a name like open_amount and a number from 1 to {NUMBER_MAX}, not reserved"
        kind = _kind(field)
        is_alone = field.label != _F.LABEL_REPEATED and field.HasField("oneof_index") == field.proto3_optional
        is_known = field.type != _F.TYPE_ENUM or _has_words(enums.get(field.type_name))
        if kind not in _FORMATS or not is_alone or not is_known:
            yield f"{what}must be one {_TYPES}; not repeated, no map and no part of a oneof"
        elif field.options.HasExtension(layout_pb2.layout):
            yield from (f"{what}{fault}" for fault in _layout_faults(field, _FORMATS[kind]))


def _kind(field: proto.FieldDescriptorProto) -> Any:
    """The type of a field: its number, of a message the name."""
    return field.type_name if field.type == _F.TYPE_MESSAGE else field.type


def _has_words(enum: proto.EnumDescriptorProto | None) -> bool:
    """Whether an enum has values, not too many, none of them reserved, whose names can be drawn."""
    values, reserved = (enum.value, _no_words(enum)) if enum is not None else ((), ())
    return (
        0 < len(values) <= VALUES_MAX
        and len(reserved) <= VALUES_MAX
        and all(_WORD.fullmatch(value.name) for value in values)
        and not any(value.number in span for value in values for span in reserved)
    )


def _no_words(enum: proto.EnumDescriptorProto) -> tuple[range, ...]:
    """The numbers that an enum reserves. Its spans include their ends, unlike those of messages."""
    return tuple(range(each.start, each.end + 1) for each in enum.reserved_range if each.start <= each.end)


def _layout_faults(field: proto.FieldDescriptorProto, formats: tuple[Any, ...]) -> Iterator[str]:
    layout = field.options.Extensions[layout_pb2.layout]
    label = layout.label
    if not shows_something(label) or _LABEL(label):
        yield f"must have a label of one line and 1 to {LABEL_MAX} characters"
    if not 0 <= layout.order <= ORDER_MAX:
        yield f"must have an order from 1 to {ORDER_MAX}, or none"
    if layout.format not in (_C.CELL_FORMAT_UNSPECIFIED, *formats):
        yield f"must have the format {' or '.join(map(_C.CellFormat.Name, formats))}, or none"


def _field(field: proto.FieldDescriptorProto, enums: Mapping[str, proto.EnumDescriptorProto]) -> SectionField:
    layout = field.options.Extensions[layout_pb2.layout]
    is_enum = field.type == _F.TYPE_ENUM
    kind = _kind(field)
    return SectionField(
        name=field.name,
        number=field.number,
        kind=kind,
        is_optional=field.proto3_optional,
        words=_words(enums[field.type_name]) if is_enum else {},
        no_words=_no_words(enums[field.type_name]) if is_enum else (),
        label=layout.label,
        place=layout.order or field.number,
        format=layout.format or _FORMATS[kind][0],
        alarm=layout.alarm,
    )


def _words(enum: proto.EnumDescriptorProto) -> dict[int, str]:
    """What each number of an enum is called, without the prefix that all names share."""
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.number: value.name.removeprefix(prefix)[:LABEL_MAX] for value in reversed(enum.value)}


def _built(fields: Iterable[SectionField]) -> type[Message]:
    """A message with these fields, enums as the numbers that they are on the wire, in a pool of its own."""
    known: list[Any] = [each.DESCRIPTOR.file for each in _MESSAGES.values()]
    file = proto.FileDescriptorProto(
        name="section.proto", syntax="proto3", dependency=[each.name for each in known]
    )
    message = file.message_type.add(name="Content")
    for each in fields:
        made = message.field.add(name=each.name, number=each.number, label=_F.LABEL_OPTIONAL)
        if each.kind in _MESSAGES:
            made.type, made.type_name = _F.TYPE_MESSAGE, each.kind
        else:
            made.type = _F.TYPE_INT32 if each.kind == _F.TYPE_ENUM else each.kind
        if each.is_optional:
            made.proto3_optional, made.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{each.name}")
    pool: Any = DescriptorPool()
    for dependency in known:
        pool.AddSerializedFile(dependency.serialized_pb)
    try:
        pool.AddSerializedFile(file.SerializeToString())
    except TypeError:  # numbers that protobuf keeps for itself, and whatever else it refuses
        raise _refusal(["must have a message that protobuf accepts"]) from None
    return GetMessageClass(pool.FindMessageTypeByName("Content"))
