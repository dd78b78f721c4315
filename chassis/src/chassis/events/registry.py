"""The event messages of every installed contract, found by what their descriptors say.

An event message is one with the option `subject`. Contracts are the packages under `rapport`, which any
distribution may add to, and those that a distribution names in the entry point group `rapport.contracts`.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rapport.options.v1 import options_pb2

GROUP = "rapport.contracts"


def contracts() -> list[ModuleType]:
    """The generated modules of every installed contract, imported."""
    import rapport

    packages: list[Any] = [rapport, *(found.load() for found in entry_points(group=GROUP))]
    return [module for package in packages for module in _modules(package)]


@functools.cache
def events() -> Mapping[str, type[Message]]:
    """Every installed event message by its full name."""
    files = [module.DESCRIPTOR for module in contracts()]
    messages = [GetMessageClass(each) for file in files for each in file.message_types_by_name.values()]
    return {each.DESCRIPTOR.full_name: each for each in messages if subject(each)}


def sources() -> list[str]:
    """The services whose events are known, in alphabetical order."""
    return sorted({subject(each).split(".")[1] for each in events().values()})


def heard(patterns: Iterable[str]) -> dict[str, type[Message]]:
    """The known event messages that are published where one of these patterns of NATS looks."""
    wanted = tuple(patterns)
    return {
        name: message
        for name, message in events().items()
        if any(meet(pattern, subject(message)) for pattern in wanted)
    }


def subject(message: type[Message]) -> str:
    """Where an event message is published; "" for a message that is no event."""
    found: str = message.DESCRIPTOR.GetOptions().Extensions[options_pb2.subject]
    return found


def message_of(full_name: str) -> type[Message] | None:
    """A message of a contract that this process has imported; None when there is none of that name."""
    try:
        return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))
    except KeyError:
        return None


def meet(one: str, other: str) -> bool:
    """Whether a subject may be meant by both patterns of NATS."""
    for a, b in zip_longest(one.split("."), other.split(".")):
        if a is None or b is None:
            return False
        if ">" in (a, b):
            return True
        if a != b and "*" not in (a, b):
            return False
    return True


def _modules(package: Any) -> Iterator[ModuleType]:
    for root in map(Path, package.__path__):  # a namespace without __init__.py, which pkgutil does not walk
        for path in sorted(root.rglob("*_pb2.py")):
            yield import_module(".".join([package.__name__, *path.relative_to(root).with_suffix("").parts]))
