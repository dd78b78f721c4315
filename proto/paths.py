"""Check where each RPC is over HTTP, as AIP-127, 131 to 136 and 231 have it, and what fields refer to."""

import re
from collections.abc import Iterator
from itertools import combinations, zip_longest
from typing import NamedTuple

from google.api import annotations_pb2, resource_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)

LITERAL = "[a-z][A-Za-z]*"
VARIABLE = r"\{([a-z_.]+)=((?:[A-Za-z]+|\*)(?:/(?:[A-Za-z]+|\*))*)\}"
PATH = re.compile(rf"/(v[1-9]\w*)(?:/(?:{LITERAL}|{VARIABLE}))+(:{LITERAL})?")
VERBS = {"Get": "get", "List": "get", "Create": "post", "Update": "patch", "Delete": "delete"}
# What is a text in JSON, and so may be in a query.
TEXTS = {".google.protobuf.Timestamp", ".google.protobuf.Duration", ".google.protobuf.FieldMask"}


class Rpc(NamedTuple):
    """A method, with what the rules look at."""

    name: str
    version: str
    method: MethodDescriptorProto
    request: DescriptorProto


Place = tuple[DescriptorProto, FieldDescriptorProto]


class Contracts:
    """The messages and resources of a descriptor set, by name."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        for file in files.file:
            for message in file.message_type:
                self._add(f".{file.package}", message)
        found = [each.options.Extensions[resource_pb2.resource] for each in self.messages.values()]
        found += [
            each for file in files.file for each in file.options.Extensions[resource_pb2.resource_definition]
        ]
        self.resources = {each.type: each for each in found if each.type}
        self.rpcs = [
            Rpc(
                f"{file.package}.{service.name}.{method.name}",
                file.package.rpartition(".")[2],
                method,
                self.messages[method.input_type],
            )
            for file in files.file
            for service in file.service
            for method in service.method
        ]

    def _add(self, scope: str, message: DescriptorProto) -> None:
        self.messages[f"{scope}.{message.name}"] = message
        for nested in message.nested_type:
            self._add(f"{scope}.{message.name}", nested)

    def field(self, message: DescriptorProto, path: str) -> Place | None:
        """The field at a path like `customer.name`, with the message that has it."""
        name, _, rest = path.partition(".")
        for field in message.field:
            if field.name == name and not rest:
                return message, field
            if field.name == name and field.type_name:
                return self.field(self.messages[field.type_name], rest)
        return None

    def patterns(self, message: DescriptorProto, field: FieldDescriptorProto) -> set[str]:
        """What the names in a field are like, each id a `*`; empty when it names no resource."""
        own = message.options.Extensions[resource_pb2.resource]
        reference = field.options.Extensions[resource_pb2.resource_reference]
        if own.type and field.name == (own.name_field or "name"):
            return _wild(own.pattern)
        if reference.type == "*":
            return {pattern for each in self.resources.values() for pattern in _wild(each.pattern)}
        if reference.child_type in self.resources:
            children = _wild(self.resources[reference.child_type].pattern)
            return {"/".join(pattern.split("/")[:-2]) for pattern in children}
        return _wild(self.resources[reference.type].pattern) if reference.type in self.resources else set()


def faults(files: FileDescriptorSet) -> list[str]:
    """What is wrong with the HTTP paths and the references to resources of contracts, a sentence each."""
    contracts = Contracts(files)
    found = [f"{rpc.name}: {fault}" for rpc in contracts.rpcs for fault in _faults(contracts, rpc)]
    for name, message in contracts.messages.items():
        for field in message.field:
            reference = field.options.Extensions[resource_pb2.resource_reference]
            if (kind := reference.type or reference.child_type) not in {"", "*", *contracts.resources}:
                found.append(f"{name[1:]}.{field.name}: there is no resource {kind!r} to refer to")
    rules = [(rpc.name, *_verb_and_path(rule)) for rpc in contracts.rpcs for rule in _rules(rpc)]
    for (one, verb, path), (other, its_verb, its_path) in combinations(rules, 2):
        if verb == its_verb and _meet(path, its_path):
            found.append(f"{other}: {verb} {its_path} also answers for {path} of {one}")
    return found


def _faults(contracts: Contracts, rpc: Rpc) -> Iterator[str]:
    if not _rules(rpc):
        yield "needs a google.api.http option"
    for rule in _rules(rpc):
        verb, path = _verb_and_path(rule)
        parts = PATH.fullmatch(path)
        if parts is None or parts[1] != rpc.version:
            yield f"{path!r} must be /{rpc.version}/, then lowerCamelCase and {{field=pattern}}"
            continue
        yield from _verb_faults(contracts, rpc, verb, path, parts[4] or "")
        yield from _variable_faults(contracts, rpc, path)
        yield from _body_faults(contracts, rpc, verb, rule.body)
        if rule.body != "*":
            yield from _query_faults(contracts, rpc, path, rule.body)


def _verb_faults(contracts: Contracts, rpc: Rpc, verb: str, path: str, suffix: str) -> Iterator[str]:
    """Standard methods by their verb; others by POST, or GET when they change nothing, with `:verb`."""
    standard = next((VERBS[each] for each in VERBS if re.match(rf"{each}[A-Z]", rpc.method.name)), None)
    if standard and (verb, suffix) != (standard, ""):
        yield f"must be {standard} without a verb at the end of the path"
    if not standard and suffix[1:] not in (names := _suffixes(contracts, rpc.method.name, path)):
        yield f"must have the path end with one of {', '.join(f':{name}' for name in sorted(names))}"
    changes_nothing = rpc.method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    if not standard and verb not in (("get", "post") if changes_nothing else ("post",)):
        yield "must be POST; GET is for what has idempotency_level NO_SIDE_EFFECTS"


def _suffixes(contracts: Contracts, method: str, path: str) -> set[str]:
    """The name of a custom method, with or without the resource that it ends with."""
    nouns = {path.partition(":")[0].rpartition("/")[2]}
    for each in contracts.resources.values():
        nouns |= {each.singular, each.plural}
    short = {method.removesuffix(noun[:1].upper() + noun[1:]) for noun in nouns if noun.isalpha()}
    return {name[0].lower() + name[1:] for name in {method, *short} if name}


def _variable_faults(contracts: Contracts, rpc: Rpc, path: str) -> Iterator[str]:
    """Variables are fields of the request, and of the form of the resource that they name."""
    variables = dict(re.findall(VARIABLE, path))
    for name, template in variables.items():
        if (found := contracts.field(rpc.request, name)) is None:
            yield f"{{{name}=...}} is no field of {rpc.request.name}"
        elif template not in (patterns := contracts.patterns(*found)):
            needed = " or ".join(sorted(patterns)) or "a resource's: the field needs a resource_reference"
            yield f"{{{name}={template}}} must be {needed}"
    for field in rpc.request.field:
        if field.name in ("name", "parent") and field.name not in variables:
            yield f"the path must have {{{field.name}=...}}"


def _body_faults(contracts: Contracts, rpc: Rpc, verb: str, body: str) -> Iterator[str]:
    """A body is `*` or a message of the request: in Create and Update the resource."""
    if verb in ("get", "delete"):
        if body:
            yield f"{verb} must not have a body"
        return
    found = contracts.field(rpc.request, body)
    if not body:
        yield f"{verb} must have a body"
    elif body != "*" and (found is None or not found[1].type_name):
        yield f"body {body!r} must be * or a message of {rpc.request.name}"
    elif re.match("(Create|Update)[A-Z]", rpc.method.name) and (
        found is None or found[1].type_name != rpc.method.output_type
    ):
        yield "the body must be the resource"


def _query_faults(contracts: Contracts, rpc: Rpc, path: str, body: str) -> Iterator[str]:
    """What is in neither path nor body is in the query, which holds texts, numbers and lists of them."""
    elsewhere = {name for name, _ in re.findall(VARIABLE, path)} | {body}
    for field in rpc.request.field:
        is_message = field.type_name in contracts.messages and field.type_name not in TEXTS
        if is_message and field.name not in elsewhere:
            yield f"{field.name} is a message, which no query can hold: POST it"


def _rules(rpc: Rpc) -> list[HttpRule]:
    if not rpc.method.options.HasExtension(annotations_pb2.http):
        return []
    rule = rpc.method.options.Extensions[annotations_pb2.http]
    return [rule, *rule.additional_bindings]


def _verb_and_path(rule: HttpRule) -> tuple[str, str]:
    verb = rule.WhichOneof("pattern") or ""
    return verb, getattr(rule, verb) if verb in {*VERBS.values(), "put"} else ""


def _meet(one: str, other: str) -> bool:
    """Whether a URL can be of both paths."""
    paths = (re.sub(VARIABLE, r"\2", path).replace(":", "/:").split("/") for path in (one, other))
    both = zip_longest(*paths, fillvalue=":")
    return all(a == b or ("*" in (a, b) and ":" not in a + b) for a, b in both)


def _wild(patterns: Iterator[str]) -> set[str]:
    return {re.sub(r"\{\w+\}", "*", pattern) for pattern in patterns}
