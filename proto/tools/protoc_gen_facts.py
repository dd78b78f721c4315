"""A plugin of protoc: the facts of a service's domain, a dataclass for each message of its `*_events.proto`.

    protoc -I. --facts_out=src acme/billing/v1/billing_events.proto     # writes src/billing/domain/facts.py

A fact has the fields of its message, in plain Python: `datetime` for a Timestamp, `timedelta` for a Duration,
`date` for a Date, `Money` for money, the value's name for an enum. What is `optional`, or one of several, may
be None. The fields that all events of one resource begin with stand in a class of their own, `_Invoice`,
where that is shorter.
"""

import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

_WIDTH = 110
_SCALARS = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_DOUBLE: "float",
    FieldDescriptorProto.TYPE_ENUM: "str",
    FieldDescriptorProto.TYPE_FLOAT: "float",
    FieldDescriptorProto.TYPE_STRING: "str",
}  # the others are int
_COMMON = {
    ".google.protobuf.Duration": "timedelta",
    ".google.protobuf.Timestamp": "datetime",
    ".google.type.Date": "date",
    ".google.type.Money": "Money",
}
_MODULE = '''"""What this service tells.

Generated from {source}: not to be edited.
"""

from dataclasses import dataclass
{imports}'''
_CLASS = '''

@dataclass(frozen=True, slots=True, kw_only=True)
class {name}:
    """{comment}"""
'''
_CLASS_LINES = 6  # and a blank one, before its fields


_Comments = dict[tuple[int, ...], str]  # by path in the file


class _Contracts:
    """Every message that the compiler read, by full name, and what is written over it."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        self.comments: dict[str, str] = {}
        for file in files:
            said = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
            for index, message in enumerate(file.message_type):
                self._add(f".{file.package}.{message.name}", message, (4, index), said)

    def _add(self, name: str, message: DescriptorProto, path: tuple[int, ...], said: _Comments) -> None:
        self.messages[name], self.comments[name] = message, " ".join(said.get(path, "").split())
        for index, nested in enumerate(message.nested_type):
            self._add(f"{name}.{nested.name}", nested, (*path, 3, index), said)

    def told(self, name: str) -> Iterator[str]:
        """The message, after the messages in it."""
        for field in self.messages[name].field:
            if field.type_name in self.messages and field.type_name not in _COMMON:
                yield from self.told(field.type_name)
        if not self.messages[name].options.map_entry:
            yield name


def facts(file: FileDescriptorProto, contracts: _Contracts) -> str:
    """The module of facts for one file of event messages. KeyError for a message that no fact can hold."""
    events = [f".{file.package}.{message.name}" for message in file.message_type]
    names = dict.fromkeys(part for event in events for part in contracts.told(event))
    used = {
        _COMMON[field.type_name]
        for name in names
        for field in contracts.messages[name].field
        if field.type_name in _COMMON
    }
    days = ", ".join(sorted(used - {"Money"}))
    imports = f"from datetime import {days}\n" * bool(days)
    imports += "\nfrom chassis.money import Money\n" * ("Money" in used)
    lines = {
        name: [f"{f.name}: {_type(f, contracts)}" for f in contracts.messages[name].field] for name in names
    }
    shared = _shared({event: lines[event] for event in events if lines[event]})
    written = _MODULE.format(source=file.name, imports=imports)
    for name, own in lines.items():
        message, comment = contracts.messages[name].name, _docstring(contracts.comments[name])
        resource = own[0].partition(":")[0] if name in events and own else ""
        common = shared.get(resource, [])
        base = f"_{resource.title().replace('_', '')}" if common else ""
        if base and f"class {base}:" not in written:
            told = f"What every event about the {resource.replace('_', ' ')} tells."
            written += _class(base, told, common)
        written += _class(f"{message}({base})" if base else message, comment, own[len(common) :])
    return written


def _shared(events: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """By resource, which the first field of an event names, the fields that all its events begin with."""
    alike: dict[str, list[list[str]]] = {}
    for fields in events.values():
        alike.setdefault(fields[0].partition(":")[0], []).append(fields)
    found = {}
    for resource, several in alike.items():
        common = [first for first, *_ in takewhile(_are_alike, zip(*several, strict=False))]
        if len(common) * (len(several) - 1) > _CLASS_LINES:
            found[resource] = common
    return found


def _are_alike(fields: Iterable[str]) -> bool:
    return len({*fields}) == 1


def _class(name: str, comment: str, fields: Sequence[str]) -> str:
    lines = [f"    {field}\n" for field in fields]
    return _CLASS.format(name=name, comment=comment) + "\n" * bool(lines) + "".join(lines)


def _docstring(comment: str) -> str:
    """The comment: its first sentence on a line, the rest below it."""
    first, stop, rest = comment.partition(". ")
    if not rest:
        return comment
    wrapped = textwrap.fill(rest, _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
    return f"{first}{stop.rstrip()}\n\n{wrapped}\n    "


def _type(field: FieldDescriptorProto, contracts: _Contracts) -> str:
    found = _SCALARS.get(field.type, "int")
    if field.type_name in _COMMON:
        found = _COMMON[field.type_name]
    elif field.type == FieldDescriptorProto.TYPE_MESSAGE:
        message = contracts.messages[field.type_name]
        if message.options.map_entry:
            key, value = (_type(part, contracts) for part in message.field)
            return f"dict[{key}, {value}]"
        found = message.name
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list[{found}]"
    return f"{found} | None" if field.HasField("oneof_index") else found


def main() -> None:
    """Answer the compiler: a module for each file of events that it was asked for."""
    asked = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    answer = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    contracts = _Contracts(asked.proto_file)
    for file in asked.proto_file:
        if file.name in asked.file_to_generate and file.name.endswith("_events.proto"):
            service = PurePosixPath(file.name).stem.removesuffix("_events")
            answer.file.add(name=f"{service}/domain/facts.py", content=facts(file, contracts))
    sys.stdout.buffer.write(answer.SerializeToString())
