"""The permissions that RPCs need, and the fields of their requests, read from the contracts."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

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
