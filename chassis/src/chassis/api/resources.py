"""The resources of every installed contract: their names, and update masks (AIP-134, AIP-161)."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.contracts import GROUP, contracts
from chassis.names import Pattern
from rapport.options.v1 import options_pb2

_KINDS = {
    options_pb2.FORMAT_UNSPECIFIED: "uuid",
    options_pb2.FORMAT_CODE: "code",
    options_pb2.FORMAT_CODE_PAIR: "code_pair",
    options_pb2.FORMAT_NUMBER: "number",
}
_OURS = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER}
_VARIABLE = re.compile(r"\{(\w+)\}")


class Resource(NamedTuple):
    """A resource: the pattern of its names, another form of these, and the pattern of what it belongs to.

    There is no other form of most, and nothing that the outermost belong to.
    """

    pattern: Pattern
    other: Pattern | None
    parent: Pattern | None


def resource(kind: str) -> Pattern:
    """The pattern of the names of a resource: `resource("cases.rapport/WorkItem")`.

    LookupError when no installed contract describes it.
    """
    return _found(kind).pattern


def patterns() -> list[Pattern]:
    return [each.pattern for each in _resources().values()]


def referred(field: FieldDescriptor) -> Pattern | None:
    """The pattern of the names that a field holds; None when it names no resource, or one of any kind."""
    reference = field.GetOptions().Extensions[resource_pb2.resource_reference]
    containing: Any = field.containing_type
    own = containing.GetOptions().Extensions[resource_pb2.resource]
    if own.type and field.name == (own.name_field or "name"):
        return resource(own.type)
    if reference.child_type:
        return _found(reference.child_type).parent
    return resource(reference.type) if reference.type not in ("", "*") else None


def other_form(field: FieldDescriptor) -> Pattern | None:
    """The pattern of the other names that a reference takes: those of a version of a resource."""
    kind = field.GetOptions().Extensions[resource_pb2.resource_reference].type
    return _found(kind).other if kind not in ("", "*") else None


def behavior(field: FieldDescriptor) -> Any:
    """What `google.api.field_behavior` says of a field."""
    options: Any = field.GetOptions()
    return options.Extensions[field_behavior_pb2.field_behavior]


def is_ours(field: FieldDescriptor) -> bool:
    """Whether a field of a resource is the service's to say: its name, or output only."""
    return not _OURS.isdisjoint(behavior(field))


def is_resource(message: Descriptor | None) -> bool:
    return message is not None and bool(message.GetOptions().Extensions[resource_pb2.resource].type)


def _found(kind: str) -> Resource:
    try:
        return _resources()[kind]
    except KeyError:
        raise LookupError(
            f"no installed contract describes the resource {kind!r}: "
            f"name the package of its contract in the entry point group {GROUP!r}, and install that"
        ) from None


@functools.cache
def _resources() -> Mapping[str, Resource]:
    described = list(_described())
    kinds = {pattern: last for _, (pattern, *_), last in described}
    return {
        kind: Resource(
            _pattern(pattern, kinds),
            _pattern(other[0] if other else "", kinds),
            _pattern(_above(pattern), kinds),
        )
        for kind, (pattern, *other), _ in described
    }


def _described() -> Iterator[tuple[str, list[str], str]]:
    """The type of each resource, its patterns, and its id's kind: of one without a message it is a code."""
    for file in (module.DESCRIPTOR for module in contracts()):
        for each in file.GetOptions().Extensions[resource_pb2.resource_definition]:
            yield each.type, list(each.pattern), "code"
        for message in file.message_types_by_name.values():
            each = message.GetOptions().Extensions[resource_pb2.resource]
            if each.type:
                options: Any = message.fields_by_name[each.name_field or "name"].GetOptions()
                last = _KINDS[options.Extensions[options_pb2.allowed].format]
                yield each.type, list(each.pattern), last


def _above(pattern: str) -> str:
    """The pattern of what it belongs to: without its own id and collection, or its last word."""
    steps = pattern.split("/")
    return "/".join(steps[: -2 if "{" in steps[-1] else -1])


def _pattern(pattern: str, kinds: Mapping[str, str]) -> Any:
    """With the kind of each id: that of the resource which ends there; a code where none is described."""

    def kind(variable: re.Match[str]) -> str:
        return f"{{{variable[1]}:{kinds.get(pattern[: variable.end()], 'code')}}}"

    return Pattern(_VARIABLE.sub(kind, pattern)) if pattern else None


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
