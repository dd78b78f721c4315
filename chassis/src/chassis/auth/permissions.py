"""What the contracts ask of who calls: permissions, and to work for the department that owns a resource.

A role grants verbs, ownership grants rows. Both are needed: `cases.promises.write`, and to work for the
department that the promise is of.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from chassis.context import Principal
from chassis.contracts import contracts, services
from chassis.errors import PermissionDenied
from rapport.options.v1 import options_pb2

Further = Callable[[Any], Iterable[str]]
_Path = tuple[str, ...]


def permissions(service: ServiceDescriptor, served_by: str) -> dict[str, str]:
    """The permission of every method, by full method name `/package.Service/Method`.

    `{service}` in a permission is the name of the service that serves it. ValueError for a method without
    one: nothing is open by omission.
    """
    found = {}
    for method in service.methods:
        permission = method.GetOptions().Extensions[options_pb2.permission]
        if not permission:
            raise ValueError(
                f"{service.full_name}.{method.name} has no permission: "
                "add `option (rapport.options.v1.permission)` to it in the contract"
            )
        found[f"/{service.full_name}/{method.name}"] = permission.replace("{service}", served_by)
    return found


@functools.cache
def known() -> frozenset[str]:
    """Every permission that an installed contract asks for, of whichever service."""
    asked = {
        method.GetOptions().Extensions[options_pb2.permission]
        for service in services()
        for method in service.methods
    }
    names = {permission.partition(".")[0] for permission in asked} - {"{service}", ""}
    of_all = {permission for permission in asked if permission.startswith("{service}.")}
    of_all.add("{service}.departments.administer")
    each = {permission.replace("{service}", name) for permission in of_all for name in names}
    return frozenset((asked - of_all) | each)


def further(request: Descriptor) -> Further | None:
    """What tells the further permissions that a request needs for what it sets; None when it never does."""
    marked = list(_marked(request, ()))

    def needed(message: Any) -> Iterator[str]:
        return (permission for path, permission in marked if _is_set(message, path))

    return needed if marked else None


def _marked(message: Descriptor, above: _Path) -> Iterator[tuple[_Path, str]]:
    for field in message.fields:
        path = (*above, field.name)
        if permission := field.GetOptions().Extensions[options_pb2.further_permission]:
            yield path, permission
        if field.message_type is not None and field.message_type.file.package.startswith("rapport."):
            yield from _marked(field.message_type, path)


def _is_set(message: Any, path: _Path) -> bool:
    name, below = path[0], path[1:]
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if not below:
        return message.HasField(name) if field.has_presence else bool(value)
    return any(_is_set(item, below) for item in (value if field.is_repeated else [value]))


def owner_field(resource: Descriptor) -> str | None:
    """The field that names the owning department; None for a resource that is everybody's."""
    for field in resource.fields:
        if field.GetOptions().Extensions[options_pb2.owner]:
            return field.name
    return None


@functools.cache
def is_owned(answer: Descriptor) -> bool:
    """Whether an answer is a resource that a department owns, or a list of such."""
    parts = _parts(answer)
    results = [inner for part in parts if part.containing_type == answer for inner in _parts(part)]
    return any(owner_field(message) is not None for message in (answer, *parts, *results))


def _parts(message: Any) -> list[Any]:
    return [field.message_type for field in message.fields if field.message_type is not None]


def require(service: str, principal: Principal, owned: Sequence[Any]) -> None:
    """Refuse a caller whose department owns none of `owned` (PermissionDenied `NOT_OWNER`).

    These are entities that are named as their messages in the service's contract, with a property named as
    the owner's field. Who administers the service's departments may change what any of them owns.
    """
    owners = [getattr(entity, _field_of(service, type(entity).__name__)) for entity in owned]
    require_one_of(service, principal, owned[0].name, owners)


def require_one_of(service: str, principal: Principal, resource: str, owners: Sequence[str]) -> None:
    """As `require`, of a resource whose owners are known otherwise: `departments/{department}`."""
    if principal.administers(service):
        return
    if principal.department and f"departments/{principal.department}" in owners:
        return
    shown = " or ".join(owner or "no department" for owner in owners)
    raise PermissionDenied(
        "NOT_OWNER",
        f"This belongs to {shown}: only its callers may do that.",
        {"resource": resource, "owner": owners[0], "permission": f"{service}.departments.administer"},
    )


@functools.cache
def _field_of(service: str, resource: str) -> str:
    """The owner's field of a resource. ValueError, TypeError: its contract lacks it, which is our mistake."""
    files: list[Any] = [module.DESCRIPTOR for module in contracts()]
    ours = [file.message_types_by_name for file in files if file.package.split(".")[1:2] == [service]]
    (message, *_) = [messages[resource] for messages in ours if resource in messages]
    found = owner_field(message)
    if found is None:
        raise TypeError(f"{message.full_name} needs a field with the option `owner`")
    return found
