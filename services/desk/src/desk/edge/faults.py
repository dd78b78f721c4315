"""Which part of a JSON object is no message: found by the contract, and told without repeating values."""

from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message_factory import GetMessageClass

# What Python's reader of ProtoJSON raises for what somebody made up.
MALFORMED = (json_format.ParseError, ValueError, TypeError, OverflowError, RecursionError, SystemError)


class Fault(NamedTuple):
    """The path of a field, `requests[2].identifier.type`, and what is allowed there."""

    field: str
    allowed: str


def fault(told: dict[str, Any], kind: Any, path: str) -> Fault:
    """The innermost field that is at fault, of an object that is no message of a kind.

    Args:
        told: the object.
        kind: the message.
        path: of the message in the request; empty for the whole.
    """
    fields = {each.json_name: each for each in kind.fields}
    by_name = {each.name: each for each in kind.fields} | fields
    for name, value in told.items():
        field = by_name.get(name)
        if field is None:
            return Fault(path, f"must have no fields but {', '.join(fields) or 'none'}")
        if not _fits(kind, name, value):
            return _inside(field, name, value, f"{path}.{field.name}".removeprefix("."))
    return Fault(
        path,
        f"must be as ProtoJSON writes {kind.full_name}: each field once, one of those that exclude others",
    )


def _inside(field: FieldDescriptor, name: str, value: Any, path: str) -> Fault:
    if field.is_repeated and isinstance(value, list):
        number = next(n for n, each in enumerate(value) if not _fits(field.containing_type, name, [each]))
        path, value = f"{path}[{number}]", value[number]
    kind = field.message_type
    if isinstance(value, dict) and kind and not _is_written_otherwise(kind):
        return fault(value, kind, path)
    return Fault(path, _allowed(field))


def _fits(kind: Any, name: str, value: Any) -> bool:
    try:
        json_format.ParseDict({name: value}, GetMessageClass(kind)())
    except MALFORMED:
        return False
    return True


def _is_written_otherwise(kind: Any) -> bool:
    return bool(kind.GetOptions().map_entry) or kind.full_name.startswith("google.protobuf.")


def _allowed(field: Any) -> str:
    if field.enum_type is not None:
        return f"must be one of {', '.join(each.name for each in field.enum_type.values)}"
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "must be an object"
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    written = field.message_type.full_name if field.message_type is not None else kind
    return f"must be as ProtoJSON writes {'a list of ' * field.is_repeated}{written}"
