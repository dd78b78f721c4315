"""The services of an installation: what each declares, and in which namespace it lives."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from chassis.contracts import loaded
from chassis.events.declarations import Declaration
from chassis.names import SERVICE, service_problem
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.local.installed import GROUP

if TYPE_CHECKING:
    from chassis.service import Service

# Of one service; what it may do with all of another's rows is given by name, and never with a star alone.
_PERMISSION = re.compile(r"[a-z][a-z0-9]{0,30}\.([a-z_]+\.[a-z_]+|[a-z_]+\.\*|\*)")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Member:
    """One service of the installation."""

    name: str
    namespace: str
    port: int
    web_port: int
    calls: tuple[str, ...]
    permissions: tuple[str, ...]
    declaration: Declaration

    @classmethod
    def of(cls, described: Mapping[str, Any], namespace: str) -> Self:
        """What `describe` told. KeyError when something is missing, TypeError for what is no list."""
        return cls(
            described["service"],
            namespace,
            described["port"],
            described["web_port"],
            _texts(described["calls"]),
            _texts(described["permissions"]),
            Declaration.read(described),
        )

    def problem(self) -> str:
        """What is wrong with what it says of itself: it may ask for nothing of another's. "" for nothing."""
        wrong: dict[str, Sequence[Any]] = {
            "calls": [each for each in self.calls if not re.fullmatch(SERVICE, each)],
            "permissions": [each for each in self.permissions if not re.fullmatch(_PERMISSION, each)],
            "ports": [each for each in (self.port, self.web_port) if not isinstance(each, int)],
        }
        return _overreach(self.declaration) or _first(wrong)

    def host(self, name: str, at: str) -> str:
        """Where this service finds the Service `name` of the namespace `at`."""
        return name if at == self.namespace else f"{name}.{at}.svc"


def _overreach(declaration: Declaration) -> str:
    """What a service asks of the broker that is not its own to ask. "" for nothing."""
    if problem := service_problem(declaration.service):
        return problem
    declared, own = declaration.subscriptions, rf"{declaration.service}-[a-z0-9-]+"
    return _first(
        {
            "consumers": [each.durable for each in declared if not re.fullmatch(own, each.durable)],
            "sources": [each.source for each in declared if not re.fullmatch(SERVICE, each.source)],
            "subjects": [
                subject
                for each in declared
                for subject in each.subjects
                if not re.fullmatch(rf"events\.{each.source}(\.[a-z0-9*-]+)*(\.>)?", subject)
            ],
        }
    )


def _first(wrong: Mapping[str, Sequence[Any]]) -> str:
    return next((f"{what}: {each!r}" for what, found in wrong.items() for each in found), "")


def members(
    named: Sequence[str], namespace: str, before: Mapping[str, str] = MappingProxyType({})
) -> list[Member]:
    """The services that are named so, `SERVICE[@NAMESPACE]`, in alphabetical order. Failure.

    Without a namespace a service is where it was `before`; a new one is in `namespace`.
    """
    split = [(what, at) for what, _, at in (each.partition("@") for each in named)]
    read = {what: _read(Path(what)) for what, _ in split if what.endswith(".json")}
    loaded = {what: _load(what) for what, _ in split if what not in read}
    tellers = [name for name, service in loaded.items() if service.tells]
    tellers += [described["service"] for described in read.values()]
    read |= {what: service.describe(tellers) for what, service in loaded.items()}
    found = [
        Member.of(read[what], _checked(at or before.get(read[what]["service"], namespace)))
        for what, at in split
    ]
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Failure(f"{', '.join(twice)}: named twice.", Exit.WRONG_USE)
    for each in found:
        if missing := [call for call in each.calls if call not in names]:
            raise Failure(f"{each.name} calls {', '.join(missing)}, which must be named too.", Exit.WRONG_USE)
    _checked(namespace)
    return sorted(found, key=lambda each: each.name)


def _load(what: str) -> "Service[Any]":
    known = {point.name: point for point in entry_points(group=GROUP)}
    if what not in known:
        raise Failure(
            f"{what!r} is no installed service ({', '.join(sorted(known))}), and no file NAME.json of what "
            "`python -m NAME describe` printed.",
            Exit.WRONG_USE,
        )
    service: Service[Any] = loaded(known[what])
    return service


def _read(path: Path) -> Mapping[str, Any]:
    try:
        described: Mapping[str, Any] = json.loads(path.read_text())
        if problem := Member.of(described, "").problem():
            raise ValueError(problem)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is not what `python -m NAME describe` of this version prints: {error}"
        raise Failure(message, Exit.WRONG_USE) from None
    return described


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(map(str, value))


def _checked(namespace: str) -> str:
    if not _NAMESPACE.fullmatch(namespace):
        raise Failure(f"{namespace!r} cannot be the name of a namespace.", Exit.WRONG_USE)
    return namespace
