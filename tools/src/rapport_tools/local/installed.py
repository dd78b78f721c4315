"""The installed services as the supervisor needs to know them.

Importing them takes seconds, and each process of a service does so anyway. So what an import told is kept in
the home, together with a fingerprint of the code: as long as that is the same, nothing new is declared and
nothing is to be migrated.
"""

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from chassis.contracts import loaded
from chassis.events.declarations import Declaration
from rapport_testing.engines.process import StackError, write_private
from rapport_tools.local.home import Home

if TYPE_CHECKING:
    from chassis.service import Service

GROUP = "rapport.services"


@dataclass(frozen=True, slots=True)
class Installed:
    """One service: its name, ports and rights, what it needs of the broker, and its migrations."""

    name: str
    port: int
    permissions: tuple[str, ...]
    declaration: Declaration
    migrations: Path
    web_port: int = 0
    tells: bool = True  # events; who tells none is not listened for

    @classmethod
    def of(cls, service: "Service[Any]", sources: Sequence[str] = ()) -> Self:
        """What a service declares that may hear those of `sources`."""
        same = {each.name: getattr(service, each.name) for each in fields(cls) if each.name != "declaration"}
        return cls(**same, declaration=service.declaration(sources))

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        read = {
            "permissions": tuple(told["permissions"]),
            "declaration": Declaration.read(told["declaration"]),
            "migrations": Path(told["migrations"]),
        }
        return cls(**told | read)


def load_services() -> "list[Service[Any]]":
    """The installed services, by port: those in the entry point group `rapport.services`."""
    services = [loaded(found) for found in entry_points(group=GROUP)]
    if not services:
        raise StackError("No service is installed: pip install -e services/customer, ...")
    return sorted(services, key=lambda service: service.port)


def installed() -> list[Installed]:
    """The installed services. Each may hear all who tell: who installs them on one machine lets them."""
    services = load_services()
    names = [service.name for service in services if service.tells]
    return [Installed.of(service, names) for service in services]


def remembered(home: Home, beside: Sequence[str]) -> list[Installed]:
    """The services that the last start prepared, with these databases beside theirs; none when code changed.

    The code is theirs and ours.
    """
    try:
        told = json.loads(_file(home).read_text())
        services = [Installed.read(each) for each in told["services"]]
        return services if told["fingerprint"] == _fingerprint(services, beside) else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def remember(home: Home, services: Sequence[Installed], beside: Sequence[str]) -> None:
    """Keep for the next start what these services declare: their databases and those beside are made."""
    told = [
        {**asdict(each), "declaration": each.declaration.describe(), "migrations": str(each.migrations)}
        for each in services
    ]
    prepared = {"fingerprint": _fingerprint(services, beside), "services": told}
    write_private(_file(home), json.dumps(prepared, indent=2))


def _file(home: Home) -> Path:
    return home.path / "prepared.json"


def _fingerprint(services: Sequence[Installed], beside: Sequence[str]) -> str:
    """Of every source file that a service runs: where it is, how long, and when it was changed."""
    points = [*entry_points(group=GROUP), *entry_points(group="rapport.contracts")]
    digest = hashlib.sha256(json.dumps([*beside, *sorted(map(str, points))]).encode())
    folders = [service.migrations for service in services]
    for package in ("chassis", "rapport", *(service.name for service in services)):
        spec = importlib.util.find_spec(package)
        folders += map(Path, (spec and spec.submodule_search_locations) or [])
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
