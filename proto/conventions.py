"""Check what every contract keeps to beside style and paths, a sentence for each fault.

Permissions and subjects are of resources, lists come in pages, events say whom they concern, what is written
can be read, names are American. Why: docs/adr/0035.
"""

import re
from collections.abc import Iterator

from google.api import resource_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodOptions,
)
from paths import Contracts, Rpc

from rapport.options.v1 import options_pb2

SUBJECT = re.compile(r"events\.([a-z]+)\.([a-z-]+)\.[a-z-]+\.v[1-9][0-9]*")
PERMISSION = re.compile(r"([a-z]+|\{service\})\.([a-z_]+)\.[a-z_]+")
BRITISH = re.compile("programme|organis|colour|favour|centre|licence|enrol(?!l)", re.IGNORECASE)
NO_CUSTOMER = re.compile(r"\bno (single )?customer\b")  # in the comment of an event that is about none


def faults(files: FileDescriptorSet) -> list[str]:
    """What in contracts keeps to no convention."""
    contracts = Contracts(files)
    owned = _owned(contracts)
    found = [f"{rpc.name}: {fault}" for rpc in contracts.rpcs for fault in _of_rpc(contracts, owned, rpc)]
    comments = dict(_comments(files))
    for name, message in contracts.messages.items():
        if subject := message.options.Extensions[options_pb2.subject]:
            told = _of_event(owned, message, subject, comments.get(name, ""))
            found += [f"{name[1:]}: {fault}" for fault in told]
        for field in message.field:
            if permission := field.options.Extensions[options_pb2.further_permission]:
                found += [f"{name[1:]}.{field.name}: {fault}" for fault in _of_permission(owned, permission)]
    found += [f"{name}: names are American: programs" for name in _names(files) if BRITISH.search(name)]
    return [*found, *_unread(contracts)]


def _of_rpc(contracts: Contracts, owned: dict[str, dict[str, str]], rpc: Rpc) -> Iterator[str]:
    if permission := rpc.method.options.Extensions[options_pb2.permission]:
        yield from _of_permission(owned, permission)
    if re.match("List[A-Z]", rpc.method.name):
        has = {field.name for field in rpc.request.field}
        has |= {field.name for field in contracts.messages[rpc.method.output_type].field}
        if missing := {"page_size", "page_token", "next_page_token"} - has:
            yield f"a list comes in pages: it needs {', '.join(sorted(missing))}"


def _of_permission(owned: dict[str, dict[str, str]], permission: str) -> Iterator[str]:
    parts = PERMISSION.fullmatch(permission)
    service, collection = parts.groups() if parts else ("", "")
    known = {"operations"} if service == "{service}" else set(owned.get(service, {}).values())
    if parts is None:
        yield f"permission {permission!r} must be service.collection_in_snake_case.verb"
    elif collection not in known:
        yield f"permission {permission!r} must be of a collection of the service: {', '.join(sorted(known))}"


def _of_event(
    owned: dict[str, dict[str, str]], message: DescriptorProto, subject: str, comment: str
) -> Iterator[str]:
    parts = SUBJECT.fullmatch(subject)
    service, resource = parts.groups() if parts else ("", "")
    kinds = {_dashed(kind) for kind in owned.get(service, {})}
    if parts is None:
        yield f"subject {subject!r} must be events.service.resource-in-dashes.fact.v1"
    elif resource not in kinds:
        yield f"subject {subject!r} must name a resource of the service: {', '.join(sorted(kinds))}"
    elif _reference(message.field[0]).partition("/")[2].lower() != resource.replace("-", ""):
        yield f"the first field must be the {resource} that the subject names"
    if "customer" not in {field.name for field in message.field} and not NO_CUSTOMER.search(comment):
        yield "needs `customer`, or a comment that says why it concerns no customer"


def _unread(contracts: Contracts) -> Iterator[str]:
    """Resources that a method writes and none reads."""
    reads = {(rpc.method.name, rpc.method.output_type) for rpc in contracts.rpcs}
    lists = {rpc.method.name for rpc in contracts.rpcs}
    written = {
        rpc.method.output_type
        for rpc in contracts.rpcs
        if rpc.method.options.idempotency_level != MethodOptions.NO_SIDE_EFFECTS
    }
    for kind in sorted(written):
        resource = contracts.messages[kind].options.Extensions[resource_pb2.resource]
        if not resource.type:
            continue
        if ((get := f"Get{_capital(resource.singular)}"), kind) not in reads:
            yield f"{kind[1:]} is written and cannot be read: it needs {get}"
        is_one_of_many = resource.pattern[0].endswith("}")
        if is_one_of_many and (listing := f"List{_capital(resource.plural)}") not in lists:
            yield f"{kind[1:]} is written and cannot be listed: it needs {listing}"


def _owned(contracts: Contracts) -> dict[str, dict[str, str]]:
    """Of each service the resources, singular, with their collections in snake_case."""
    found: dict[str, dict[str, str]] = {}
    for each in contracts.resources.values():
        service = each.type.partition(".")[0]
        found.setdefault(service, {})[each.singular] = _snake(each.plural)
    return found


def _names(files: FileDescriptorSet) -> Iterator[str]:
    for file in files.file:
        if file.package.startswith("google."):
            continue
        for message in file.message_type:
            yield from _names_in(file.package, message)
        for service in file.service:
            yield from (f"{file.package}.{service.name}.{method.name}" for method in service.method)


def _names_in(scope: str, message: DescriptorProto) -> Iterator[str]:
    name = f"{scope}.{message.name}"
    yield from (f"{name}.{field.name}" for field in message.field)
    yield from (f"{name}.{value.name}" for enum in message.enum_type for value in enum.value)
    yield from message.options.Extensions[resource_pb2.resource].pattern
    for nested in message.nested_type:
        yield from _names_in(name, nested)


def _comments(files: FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """What is written above each message that is in no other."""
    for file in files.file:
        for place in file.source_code_info.location:
            if len(place.path) == 2 and place.path[0] == 4:
                yield f".{file.package}.{file.message_type[place.path[1]].name}", place.leading_comments


def _reference(field: FieldDescriptorProto) -> str:
    found: str = field.options.Extensions[resource_pb2.resource_reference].type
    return found


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _dashed(name: str) -> str:
    return _snake(name).replace("_", "-")
