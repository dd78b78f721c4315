"""Update masks (AIP-134, AIP-161)."""

from collections.abc import Sequence
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.errors import invalid

_NOT_CHANGED = {
    field_behavior_pb2.OUTPUT_ONLY,
    field_behavior_pb2.IDENTIFIER,
}


def masked(mask: FieldMask, message: Message, allowed: Sequence[str]) -> list[str]:
    """The fields of `message` that an update is to change, in the order of `allowed`.

    An empty mask means the allowed fields that are populated, `*` means all that are allowed. The resource's
    own `name` and `etag` and its output-only fields are ignored. InvalidArgument UNKNOWN_FIELD for others.
    """
    if not mask.paths:
        populated = {descriptor.name for descriptor, _ in message.ListFields()}
        return [name for name in allowed if name in populated]
    if list(mask.paths) == ["*"]:
        return list(allowed)
    fields = message.DESCRIPTOR.fields_by_name
    if any(path not in allowed and not (path in fields and _ignored(fields[path])) for path in mask.paths):
        raise invalid("update_mask", "UNKNOWN_FIELD", f"must hold only {', '.join(allowed)}, or * alone")
    return [name for name in allowed if name in mask.paths]


def _ignored(field: Any) -> bool:
    behavior = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field.name == "etag" or not _NOT_CHANGED.isdisjoint(behavior)
