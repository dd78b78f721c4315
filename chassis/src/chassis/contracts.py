"""The contracts that are installed.

They are the packages under `rapport`, which any distribution may add to, and those that a distribution names
in the entry point group `rapport.contracts`.
"""

import functools
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

GROUP = "rapport.contracts"


class Gone(ImportError):
    """A package is installed, and its code is not there, or not all of it."""


def loaded(point: EntryPoint) -> Any:
    """What an entry point names.

    Gone, with what to do about it, when its package was deleted, or its code not generated from its contract.
    """
    try:
        return point.load()
    except ImportError as error:
        if point.dist is None:
            raise
        name = point.dist.name
        if lacks := re.search(r"\w+_pb2(_grpc)?\b", str(error)):
            raise Gone(
                f"The package {name} is installed, but {lacks[0]} is not there: it is generated from its "
                f"contract. Generate it, as docs/own-service.md says under The contract, or uninstall it: "
                f"{sys.executable} -m pip uninstall {name}"
            ) from None
        if not (isinstance(error, ModuleNotFoundError) and f"{point.module}.".startswith(f"{error.name}.")):
            raise  # its code is there, and what it imports is not
        raise Gone(
            f"The package {name} is installed, but its module {error.name} is gone. "
            f"Uninstall it: {sys.executable} -m pip uninstall {name}"
        ) from None


@functools.cache
def contracts() -> tuple[ModuleType, ...]:
    """The generated modules of every installed contract, imported."""
    import rapport

    packages: list[Any] = [rapport, *map(loaded, entry_points(group=GROUP))]
    return tuple(module for package in packages for module in _modules(package))


def services() -> list[ServiceDescriptor]:
    """The gRPC services of every installed contract, each once, in the order of their modules."""
    files: list[Any] = [module.DESCRIPTOR for module in contracts()]
    found = [service for file in files for service in file.services_by_name.values()]
    return list({service.full_name: service for service in found}.values())


def comments() -> dict[str, str]:
    """What is written over everything in the contracts, by full names; `<enum>.<value>` for a value.

    Of contracts that were generated with `protoc-gen-comments`: modules themselves do not have them.
    """
    told: dict[str, str] = {}
    for module in contracts():
        kept = Path(str(module.__file__).removesuffix("_pb2.py") + "_comments.json")
        if kept.exists():
            told |= json.loads(kept.read_text())
    return told


def message_of(full_name: str) -> type[Message] | None:
    """A message of a contract that this process has imported; None when there is none of that name."""
    try:
        return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))
    except KeyError:
        return None


def _modules(package: Any) -> Iterator[ModuleType]:
    for root in map(Path, package.__path__):  # a namespace without __init__.py, which pkgutil does not walk
        for path in sorted(root.rglob("*_pb2.py")):
            yield import_module(".".join([package.__name__, *path.relative_to(root).with_suffix("").parts]))
