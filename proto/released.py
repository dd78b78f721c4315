"""Compare what options say with the last release, of everything that both have.

`buf breaking` compares names, numbers and types. What stands in options is contract all the same: the paths,
the rights, the subjects, the names of resources, and what a field may hold: more some day, and never less.
"""

from collections.abc import Iterator
from typing import Any

from google.api import annotations_pb2, resource_pb2
from google.api import field_behavior_pb2 as behavior
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet
from paths import Contracts

from rapport.options.v1 import options_pb2 as own

STRICTER = (behavior.REQUIRED, behavior.IMMUTABLE, behavior.OUTPUT_ONLY)
INPUT = {behavior.REQUIRED, behavior.OPTIONAL, behavior.IMMUTABLE, behavior.IDENTIFIER}
SAME = ("owner", "timeline", "further_permission", "judged_apart", "multiline")  # `multiline` may be set anew
LEAST, MOST = -(2**63), 2**63


def faults(files: FileDescriptorSet, released: FileDescriptorSet) -> list[str]:
    """What the options of contracts take away from a release, a sentence each."""
    now, then = Contracts(files), Contracts(released)
    methods = {rpc.name: rpc.method.options for rpc in now.rpcs}
    found = [
        f"{rpc.name}: {fault}"
        for rpc in then.rpcs
        if rpc.name in methods
        for fault in _of_method(methods[rpc.name], rpc.method.options)
    ]
    for name, message in then.messages.items():
        if name in now.messages and not name.startswith(".google."):
            found += [f"{name[1:]}{fault}" for fault in _of_message(now.messages[name], message)]
    for kind, resource in then.resources.items():
        if kind not in now.resources:
            found.append(f"{kind}: there must still be this resource")
        elif list(now.resources[kind].pattern[: len(resource.pattern)]) != list(resource.pattern):
            found.append(f"{kind}: its names must stay {' and '.join(resource.pattern)}")
    return found


def _of_method(now: Any, then: Any) -> Iterator[str]:
    if now.Extensions[own.permission] != (permission := then.Extensions[own.permission]):
        yield f"its permission must stay {permission!r}"
    kept = _rules(now)
    if lost := [rule for rule in _rules(then) if rule not in kept]:
        yield f"google.api.http must still have {' '.join(str(lost[0]).split())}"


def _rules(options: Any) -> list[Any]:
    """The paths of a method, the further ones each by itself."""
    first = HttpRule()
    first.CopyFrom(options.Extensions[annotations_pb2.http])
    further = list(first.additional_bindings)
    first.ClearField("additional_bindings")
    return [first, *further]


def _of_message(now: DescriptorProto, then: DescriptorProto) -> Iterator[str]:
    if now.options.Extensions[own.subject] != (subject := then.options.Extensions[own.subject]):
        yield f": its subject must stay {subject!r}"
    if now.options.Extensions[resource_pb2.resource].type != (
        kind := then.options.Extensions[resource_pb2.resource].type
    ):
        yield f": it must stay the resource {kind!r}"
    known = {field.number: field for field in then.field}
    for field in now.field:
        told = _of_field(field, known[field.number]) if field.number in known else _of_new(field)
        yield from (f".{field.name}: {fault}" for fault in told)


def _of_new(field: FieldDescriptorProto) -> Iterator[str]:
    if behavior.REQUIRED in field.options.Extensions[behavior.field_behavior]:
        yield "a new field of a released message cannot be REQUIRED"


def _of_field(now: FieldDescriptorProto, then: FieldDescriptorProto) -> Iterator[str]:
    ours, theirs = now.options.Extensions, then.options.Extensions
    are, were = ours[behavior.field_behavior], theirs[behavior.field_behavior]
    for each in STRICTER:
        if each in are and each not in were:
            yield f"must not become {behavior.FieldBehavior.Name(each)}"
    if behavior.IDENTIFIER in were and behavior.IDENTIFIER not in are:
        yield "must stay the IDENTIFIER"
    if ours[own.data_class] < theirs[own.data_class]:
        yield f"must stay {own.DataClass.Name(theirs[own.data_class])}"
    for name in SAME:
        option = getattr(own, name)
        if ours[option] != theirs[option] and (name != "multiline" or theirs[option]):
            yield f"its option `{name}` must stay {theirs[option]!r}"
    refers, referred = ours[resource_pb2.resource_reference], theirs[resource_pb2.resource_reference]
    anew = not (referred.type or referred.child_type)  # only what is sent to us is compared with it
    if refers != referred and (not anew or INPUT & {*were}):
        yield f"must refer to {(referred.type or referred.child_type)!r}"
    wider, narrower = _bounds(ours[own.allowed]), _bounds(theirs[own.allowed])
    for name, (is_within, bound) in narrower.items():
        if not is_within(wider[name][1]):
            yield f"`allowed.{name}` must not become narrower than {bound}"


def _bounds(allowed: Any) -> dict[str, tuple[Any, Any]]:
    """Of each part of what a field may hold: whether another value allows as much, and the value."""

    def said(name: str, otherwise: int) -> int:
        return getattr(allowed, name) if allowed.HasField(name) else otherwise

    same = {name: getattr(allowed, name) for name in ("format", "keys")}
    floors = {"least": said("least", 0), "earliest_seconds": said("earliest_seconds", LEAST)}
    ceilings = {
        "max_characters": allowed.max_characters or 200,
        "max_items": allowed.max_items or 1000,
        "most": said("most", MOST),
        "latest_seconds": said("latest_seconds", MOST),
        "wildcard": allowed.wildcard,
        "partial": allowed.partial,
        "batch_only": not allowed.batch_only,
    }
    paths = {*allowed.paths}
    found = {name: (value.__eq__, value) for name, value in same.items()}
    found |= {name: (value.__ge__, value) for name, value in floors.items()}
    found |= {name: (value.__le__, value) for name, value in ceilings.items()}
    return found | {"paths": (lambda new: not new or (bool(paths) and paths <= new), paths)}
