"""A plugin of protoc: what is written over everything in a contract, which generated modules do not have.

    protoc -I. --comments_out=src acme/billing/v1/billing.proto  # src/acme/billing/v1/billing_comments.json

An object of texts by full names: of services, methods, messages, fields, enums, and `<enum>.<value>`.
`chassis.contracts.comments` reads it; the description of the REST edge is made with it.
"""

import inspect
import json
import sys
from collections.abc import Iterator

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.message import Message

# The lists of what has a name, by what holds them.
_PARTS: dict[type[Message], tuple[str, ...]] = {
    FileDescriptorProto: ("message_type", "enum_type", "service"),
    DescriptorProto: ("field", "nested_type", "enum_type"),
    EnumDescriptorProto: ("value",),
    ServiceDescriptorProto: ("method",),
}


def comments(file: FileDescriptorProto) -> dict[str, str]:
    """The comments of a file by full names."""
    said = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    told = {name: inspect.cleandoc(said.get(path, "")) for name, path in _named(file, file.package, ())}
    return {name: text for name, text in told.items() if text}


def _named(whole: Message, name: str, path: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for each in _PARTS.get(type(whole), ()):
        number = whole.DESCRIPTOR.fields_by_name[each].number
        for index, part in enumerate(getattr(whole, each)):
            inside = f"{name}.{part.name}", (*path, number, index)
            yield inside
            yield from _named(part, *inside)


def main() -> None:
    """Answer the compiler: a file of comments for each that it was asked for."""
    asked = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    answer = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    for file in asked.proto_file:
        if file.name in asked.file_to_generate:
            told = json.dumps(comments(file), ensure_ascii=False, indent=1)
            answer.file.add(name=f"{file.name.removesuffix('.proto')}_comments.json", content=told + "\n")
    sys.stdout.buffer.write(answer.SerializeToString())
