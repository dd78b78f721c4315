"""Update masks (AIP-134, AIP-161)."""

from collections.abc import Sequence
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.api.resources import behavior, is_ours, is_resource
from rapport.options.v1 import options_pb2


def updated(request: Descriptor) -> FieldDescriptor | None:
    """The resource that a request changes, by its mask; None for one without. TypeError for several."""
    if "update_mask" not in request.fields_by_name:
        return None
    (found,) = (f for f in request.fields if f.message_type is not None and is_resource(f.message_type))
    return found


def changeable(request: Descriptor, resource: Descriptor) -> list[str]:
    """The fields that the mask of a request may name: those of the option `paths`, or all that can change.

    Of a field inside of another its path, `person.given_name`.
    """
    options: Any = request.fields_by_name["update_mask"].GetOptions()
    return list(options.Extensions[options_pb2.allowed].paths) or [
        field.name
        for field in resource.fields
        if not (_ignored(field) or field_behavior_pb2.IMMUTABLE in behavior(field))
    ]


def chosen(mask: FieldMask, message: Message, allowed: Sequence[str]) -> list[str] | None:
    """The fields of `message` that an update is to change, in the order of `allowed`; None for a wrong mask.

    `allowed` are paths, `display_name` or `person.given_name`; a mask's `person` is all that begin with it.
    An empty mask means the allowed fields that are populated, `*` means all that are allowed. The resource's
    own `name` and `etag` and its output-only fields are ignored.
    """
    paths = set(mask.paths)
    if not paths:
        return [path for path in allowed if _populated(message, path)]
    if paths == {"*"}:
        return list(allowed)
    known = {part for path in allowed for part in (path, path.partition(".")[0])}
    if any(path not in known and not _is_ignored(message, path) for path in paths):
        return None
    return [path for path in allowed if not paths.isdisjoint((path, path.partition(".")[0]))]


def _populated(message: Any, path: str) -> bool:
    *parts, last = path.split(".")
    for part in parts:
        message = getattr(message, part)
    return last in {descriptor.name for descriptor, _ in message.ListFields()}


def _is_ignored(message: Message, path: str) -> bool:
    field = message.DESCRIPTOR.fields_by_name.get(path)
    return field is not None and _ignored(field)


def _ignored(field: Any) -> bool:
    return field.name == "etag" or is_ours(field)
