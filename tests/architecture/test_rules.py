"""What is judged of a message is judged in whichever request it comes."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from chassis.grpc.server import _described
from chassis.servicer import Rpc
from rapport.options.v1 import options_pb2


def contained(message: Descriptor, seen: set[Descriptor]) -> set[Descriptor]:
    """The message and every other that may stand in it, but for what is judged by itself."""
    if message not in seen:
        seen.add(message)
        for each in message.fields:
            options: Any = each.GetOptions()
            if each.message_type is not None and not options.Extensions[options_pb2.judged_apart]:
                contained(each.message_type, seen)
    return seen


def servicers(service: str) -> Iterator[type[Any]]:
    import_module(f"{service}.service")
    waiting = [Rpc]
    while waiting:
        made = waiting.pop().__subclasses__()
        waiting += made
        yield from (each for each in made if each.__module__.startswith(f"{service}."))


@pytest.mark.parametrize("service", ["cases", "customer", "loyalty", "notifications"])
def test_a_message_has_the_same_rules_in_every_request(service: str) -> None:
    of = {each: getattr(each, "rules", {}) for each in servicers(service)}
    judged = {kind.DESCRIPTOR: rule for rules in of.values() for kind, rule in rules.items()}
    missing = [
        f"{servicer.__name__}.{method.name} judges no {message.name}"
        for servicer, rules in of.items()
        for method in _described(servicer).methods
        for message in contained(method.input_type, set()) & judged.keys()
        if message not in {kind.DESCRIPTOR for kind in rules}
    ]
    assert not missing, missing
