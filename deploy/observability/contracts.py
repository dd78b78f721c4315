"""Writes docs/contracts.md, what there is to call and to hear, from contracts and what services declare."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from chassis.auth.permissions import permissions
from chassis.contracts import comments, services
from chassis.events.registry import events, heard, source_of, sources, subject
from chassis.service import Service
from rapport_tools.cli import contracts
from rapport_tools.local.installed import load_services

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "proto" / "released.binpb"
PAGE = ROOT / "docs" / "contracts.md"
EVERY = "operations"  # the package that every service serves
CALLS = {
    "reads": "changes nothing",
    "once": "takes a `request_id`: sent again, it is done once and answers the same",
    "batch": "as `once`, many in one call, each answered for itself",
    "stream": "goes on answering",
}
INTRODUCTION = f"""# What there is to call and to hear

Made by `make observability` from the contracts in [proto/](../proto/README.md), what services declare, and
who owns it by [CODEOWNERS](../CODEOWNERS). What is in a request and an answer stands in the contract, beside
the message; the desk serves it as a page, `/openapi`, to read and to try. Why a call is refused is in
[errors](errors.md), who may make it in [identity](identity.md), and how long a contract holds in
[releases](releases.md).

Calls are of a kind: {"; ".join(f"**{kind}** {told}" for kind, told in CALLS.items())}. What is deprecated is
struck through: it is served as ever, and goes with the next major version of its contract.

What is marked **next** is in `main`, and not in the last release's contracts, `proto/released.binpb`.

An event is published in the stream of its service, at least once, and each consumer applies it once. Beside
those that are named, any department's service may hear it that the broker lets ([sections](sections.md)).
"""


def page() -> str:
    """The page."""
    released = _released()
    declared = sorted(load_services(), key=lambda service: service.name)
    hearers = _hearers(declared)
    parts = [INTRODUCTION]
    for service in declared:
        needed = ", ".join(f"`{each}`" for each in service.permissions) or "nothing"
        parts.append(f"\n## {service.name}\n\nOf {_owners(service.name)}. ")
        parts.append(f"Calls {_listed(service.calls)}; its own identity needs {needed}.\n")
        parts += [*_calls(service.name, released), *_events(service.name, hearers, released)]
    return "".join([*parts, "\n## Every service\n", *_calls(EVERY, released)])


def _released() -> set[str]:
    """The full names of the calls and messages of the last release."""
    files = FileDescriptorSet.FromString(RELEASED.read_bytes()).file
    calls = {
        f"{file.package}.{service.name}.{method.name}"
        for file in files
        for service in file.service
        for method in service.method
    }
    return calls | {f"{file.package}.{message.name}" for file in files for message in file.message_type}


def _place(owner: str, contract: str) -> str:
    """Where a contract is: with the others, or beside its service."""
    return next(
        path for path in (f"proto/{contract}", f"services/{owner}/src/{contract}") if (ROOT / path).exists()
    )


def _calls(owner: str, released: set[str]) -> Iterator[str]:
    for each in (found for found in services() if contracts.owner(found) == owner):
        needed = permissions(each, "{service}")
        place = _place(owner, each.file.name)
        yield f"\n### {each.name}\n\n`{each.full_name}`, [{each.file.name}](../{place})\n\n"
        yield "| call | permission | kind | what it does |\n|---|---|---|---|\n"
        for method in each.methods:
            name, told = _shown(method, released), _summary(method.full_name)
            yield f"| {name} | `{needed[f'/{each.full_name}/{method.name}']}` | {_kind(method)} | {told} |\n"


def _events(owner: str, hearers: dict[str, list[str]], released: set[str]) -> Iterator[str]:
    if told_here := [name for name, message in events().items() if source_of(message) == owner]:
        yield "\n### Events\n\n| event | subject | about | heard by | what it says |\n|---|---|---|---|---|\n"
        for name in told_here:
            message = events()[name].DESCRIPTOR
            about = ", ".join(f.name for f in message.fields if f.name in ("customer", "department"))
            shown = _shown(message, released)
            by = _listed(hearers[name])
            yield f"| {shown} | `{subject(events()[name])}` | {about} | {by} | {_summary(name)} |\n"


def _hearers(declared: Iterable[Service[Any]]) -> dict[str, list[str]]:
    """By event, the services that listen for it."""
    found: dict[str, list[str]] = {name: [] for name in events()}
    for service in declared:
        patterns = [s for each in service.declaration(sources()).subscriptions for s in each.subjects]
        for name in heard(patterns):
            found[name].append(service.name)
    return found


def _owners(service: str) -> str:
    """Who approves changes of it; the last line for its folder counts."""
    lines = (ROOT / "CODEOWNERS").read_text().splitlines()
    return [line.split(None, 1)[1] for line in lines if line.startswith(f"/services/{service}/")][-1]


def _kind(method: MethodDescriptor) -> str:
    if method.server_streaming or method.client_streaming:
        return "stream"
    if method.GetOptions().idempotency_level == method.GetOptions().NO_SIDE_EFFECTS:
        return "reads"
    return "batch" if method.name.startswith("Batch") else "once"


def _shown(descriptor: Any, released: set[str]) -> str:
    """Its name, struck through when it is deprecated, and marked when no release has it."""
    name = f"~~{descriptor.name}~~" if descriptor.GetOptions().deprecated else descriptor.name
    return name if descriptor.full_name in released else f"{name} **next**"


def _summary(full_name: str) -> str:
    """The first sentence of what the contract says of it."""
    told = " ".join(comments()[full_name].split())
    return re.split(r"(?<=[a-z)`\]]\.) (?=[A-Z`])", told)[0].replace("|", "\\|")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"


if __name__ == "__main__":
    PAGE.write_text(page())
