"""Requests that nobody would send, made of contracts by chance."""

import json
import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import Message

from rapport_tools.cli.contracts import message_class

DEPTH_MAX = 6
TEXTS = [
    "", " ", "\0", "\x1b[2J", "a\r\nb: c", "\u202eabc", "\u200b\u3164", "e\u0301" * 40, "💥" * 300,
    "\U000e0061", "\ufffe", "x" * 70_000, "9" * 4000, "'; DROP TABLE cases; --", "%s%n{}\\",
    "../../etc/passwd", "${jndi:ldap://a}", "{{ 7 * 7 }}", "{% raw %}", "=1+1", "<script>alert(1)</script>",
    "-", "*", "customers/", "customers/-", "customers/*/view", "a@b", "anna@example.com",
    "ANNA@EXAMPLE.COM", "ann a@ex.com",
    "+4930901820", "030 901820", "+" + "0" * 30, "de", "en-GB", "xx-invalid", "Europe/Berlin", "Mars/Base",
    "DE", "ZZ", "USD", "EUR", "orders/1", "departments/front-desk", "agents/alice", "services/loyalty",
    "purposes/service", "programs/main", "programs/main/units/points", "programs/main/accounts/points-issued",
    "display_name", "displayName,person", "a" * 63, "A_B", "state = OPEN", "state = ", 'topic = "a" AND',
    "create_time > 2026-01-01T00:00:00Z", "((((((((", '"', "\\", "null", "0", "-1", "1e999", "NaN",
    "2026-02-30T25:61:61Z", "019cade0-0000-7000-8000-000000000001", "00000000-0000-0000-0000-000000000000",
    "customers/019cade0-0000-7000-8000-000000000001", "ß" * 250, "İ" * 100, "ﷺ" * 60, "\ud7ff\ue000",
]  # fmt: skip
ENDS = ["/", "/view", "x", "@1", "\n", "/versions/1"]
HUGE = "h" * 3_900_000
SECONDS = [0, 1, -1, 1_772_000_000, 1_800_000_000, 253_402_300_799, 253_402_300_800, -62_135_596_801, 2**62]
NANOS = [0, 1, -1, 999_999_999, 2**31 - 1]
BITS = {
    **dict.fromkeys((FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_ENUM), (-(2**31), 2**31 - 1)),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
LEAVES = [None, True, 0, -1, 2**70, 1e308, "", "x", [], {}, [[[[]]]], {"a": {"b": 1}}, "\ud800"]


class Maker:
    """Makes requests; what answers told is used in later ones.

    Attributes:
        names: of resources that there are.
    """

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.names: deque[str] = deque(maxlen=3000)

    def learn(self, answer: Message) -> None:
        """Remember the names and etags in an answer."""
        for field, value in answer.ListFields():
            if field.name in ("name", "etag", "request_id") and isinstance(value, str):
                self.names.append(value)
            elif field.message_type and field.is_repeated and not field.message_type.GetOptions().map_entry:
                for each in value[:5]:
                    self.learn(each)
            elif field.message_type and not field.is_repeated:
                self.learn(value)

    def text(self) -> str:
        """Any text: what there is, what is odd, or noise."""
        roll = self.chance.random()
        if roll < 0.45 and self.names:
            name = self.chance.choice(self.names)
            return (
                name
                if roll < 0.38
                else name + self.chance.choice(["/", "/view", "x", "@1", "\n", "/versions/1"])
            )
        if roll < 0.95:
            return self.chance.choice(TEXTS)
        if roll < 0.999:
            return "".join(chr(self._scalar()) for _ in range(self.chance.randrange(60)))
        return HUGE

    def _scalar(self) -> int:
        point = self.chance.choice((self.chance.randrange(128), self.chance.randrange(0x110000)))
        return 65 if 0xD800 <= point < 0xE000 else point

    def message(self, of: Descriptor, depth: int = 0) -> Any:
        """A message with any of its fields."""
        made: Any = message_class(of)()
        for field in of.fields:
            behaviour = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
            likely = 0.85 if field_behavior_pb2.REQUIRED in behaviour else 0.4
            if depth < DEPTH_MAX and self.chance.random() < likely:
                self.fill(made, field, depth)
        return made

    def fill(self, message: Any, field: FieldDescriptor, depth: int = 0) -> None:
        """Give a field another value."""
        message.ClearField(field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[each] for each in ("key", "value"))
            for _ in range(self._many()):
                if value.message_type:
                    getattr(message, field.name)[self._scalar_of(key)].CopyFrom(
                        self.message(value.message_type, depth + 1)
                    )
                else:
                    getattr(message, field.name)[self._scalar_of(key)] = self._scalar_of(value)
        elif field.is_repeated:
            values = getattr(message, field.name)
            for _ in range(self._many()):
                values.append(self._value(field, depth))
        elif field.message_type:
            getattr(message, field.name).CopyFrom(self._value(field, depth))
        else:
            setattr(message, field.name, self._value(field, depth))

    def _many(self) -> int:
        return self.chance.choices((0, 1, 2, 5, 60, 1100), (10, 60, 15, 10, 4, 1))[0]

    def _value(self, field: FieldDescriptor, depth: int) -> Any:
        if field.message_type is None:
            return self._scalar_of(field)
        if field.message_type.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
            return message_class(field.message_type)(
                seconds=self.chance.choice(SECONDS),
                nanos=self.chance.choice((0, 1, -1, 999_999_999, 2**31 - 1)),
            )
        return self.message(field.message_type, depth + 1)

    def _scalar_of(self, field: FieldDescriptor) -> Any:
        if field.enum_type is not None and self.chance.random() < 0.8:
            return self.chance.choice(field.enum_type.values).number
        if field.cpp_type in BITS:
            low, high = BITS[field.cpp_type]
            return self.chance.choice((0, 1, 10, low, high, self.chance.randint(low, high)))
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_BOOL:
                return self.chance.random() < 0.5
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return self.chance.randbytes(self.chance.choice((0, 1, 40, 5000)))
            case FieldDescriptor.CPPTYPE_STRING:
                return self.text()
        return self.chance.choice((0.0, -0.0, 1.5, -1e308, math.inf, -math.inf, math.nan))

    def mutated(self, valid: Message) -> Any:
        """The request with some fields changed, anywhere in it."""
        made: Any = type(valid).FromString(valid.SerializeToString())
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3))):
            inside = self.chance.choice(list(_messages(made)))
            fields = inside.DESCRIPTOR.fields
            if fields:
                self.fill(inside, self.chance.choice(fields))
        return made

    def broken(self, body: bytes, of: Descriptor) -> bytes:
        """Bytes that may be no message at all."""
        match self.chance.randrange(6):
            case 0:
                return self.chance.randbytes(self.chance.choice((1, 10, 300)))
            case 1:
                return body[: self.chance.randrange(len(body) + 1)]
            case 2 if body:
                spoilt = bytearray(body)
                for _ in range(3):
                    spoilt[self.chance.randrange(len(spoilt))] ^= 1 << self.chance.randrange(8)
                return bytes(spoilt)
            case 3:  # every field, with any wire type
                return b"".join(
                    _varint(field.number << 3 | self.chance.randrange(8)) + self.chance.randbytes(3)
                    for field in of.fields
                )
            case 4:  # groups in groups
                return b"\x0b" * self.chance.choice((10, 99, 5000))
        return body + _varint(self.chance.randrange(1, 2**29) << 3 | 2) + _varint(2**31 - 1)

    def json_of(self, of: Descriptor, valid: Message | None) -> Any:
        """A request as JSON, mostly of the right shape."""
        try:
            told: Any = MessageToDict(self.mutated(valid) if valid is not None else self.message(of))
        except (SerializeToJsonError, ValueError):  # a time that is none
            told = {"name": self.text(), "createTime": "soon"}
        if self.chance.random() < 0.3:
            told = self.spoilt(told)
        return told

    def spoilt(self, told: Any) -> Any:
        """The JSON with another value somewhere."""
        if isinstance(told, dict) and told and self.chance.random() < 0.9:
            key = self.chance.choice(list(told))
            return told | {key: self.spoilt(told[key])}
        if isinstance(told, list) and told and self.chance.random() < 0.9:
            return [self.spoilt(told[0]), *told[1:]]
        return self.chance.choice([*LEAVES, self.text()])

    def body_of(self, told: Any) -> bytes:
        """JSON as it is sent, sometimes none."""
        body = json.dumps(told).encode()
        match self.chance.randrange(20):
            case 0:
                return body[: len(body) // 2]
            case 1:
                return self.chance.randbytes(20) + body
            case 2:
                return b"[" * 3000
            case 3:
                return body.replace(b":", b":1e999999,", 1)
        return body


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
