"""The permission that each RPC needs, read from its contract."""

from google.protobuf.descriptor import ServiceDescriptor

from rapport.options.v1 import options_pb2


def permissions(service: ServiceDescriptor) -> dict[str, str]:
    """The permission of every method, by full method name `/package.Service/Method`.

    ValueError for a method without one: nothing is open by omission.
    """
    found = {}
    for method in service.methods:
        permission = method.GetOptions().Extensions[options_pb2.permission]
        if not permission:
            raise ValueError(
                f"{service.full_name}.{method.name} has no permission: "
                "add `option (rapport.options.v1.permission)` to it in the contract"
            )
        found[f"/{service.full_name}/{method.name}"] = permission
    return found
