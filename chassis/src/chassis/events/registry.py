"""The event messages of every installed contract, found by what their descriptors say.

An event message is one with the option `subject`.
"""

import functools
from collections.abc import Iterable, Mapping
from itertools import zip_longest

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.contracts import contracts
from rapport.options.v1 import options_pb2

FACT_MAX_BYTES = 240 * 1024  # a stream takes 256 KiB, the attributes of the event included


@functools.cache
def events() -> Mapping[str, type[Message]]:
    """Every installed event message by its full name."""
    files = [module.DESCRIPTOR for module in contracts()]
    messages = [GetMessageClass(each) for file in files for each in file.message_types_by_name.values()]
    return {each.DESCRIPTOR.full_name: each for each in messages if subject(each)}


def sources() -> list[str]:
    """The services whose events are known, in alphabetical order."""
    return sorted(set().union(*_owners().values()))


def may_tell(source: str, full_name: str) -> bool:
    """Whether events of that type are a service's to tell: of a known type, or package, only its own are."""
    if known := events().get(full_name):
        return source_of(known) == source
    return source in _owners().get(full_name.rpartition(".")[0], {source})


def heard(patterns: Iterable[str]) -> dict[str, type[Message]]:
    """The known event messages that are published where one of these patterns of NATS looks."""
    return _heard(tuple(patterns))


def subject(message: type[Message]) -> str:
    """Where an event message is published; "" for a message that is no event."""
    found: str = message.DESCRIPTOR.GetOptions().Extensions[options_pb2.subject]
    return found


def subject_of(message: type[Message]) -> str:
    """Where an event message is published. ValueError for a message without the `subject` option."""
    found = subject(message)
    if not found:
        raise ValueError(f"{message.DESCRIPTOR.full_name} has no subject: it is not an event")
    return found


def source_of(message: type[Message]) -> str:
    """The service that tells an event."""
    return subject(message).split(".")[1]


@functools.cache
def _heard(patterns: tuple[str, ...]) -> dict[str, type[Message]]:
    return {
        name: message
        for name, message in events().items()
        if any(meet(pattern, subject(message)) for pattern in patterns)
    }


@functools.cache
def _owners() -> Mapping[str, set[str]]:
    """By package, the services whose events it has."""
    owners: dict[str, set[str]] = {}
    for name, message in events().items():
        owners.setdefault(name.rpartition(".")[0], set()).add(source_of(message))
    return owners


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
