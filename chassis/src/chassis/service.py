"""Declaring a service, and the command line that every service has.

A service's `__main__.py` is three lines; its `service.py` declares a `Service` and composes an `App`:

    def compose(app: App[Settings]) -> None:
        app.serve(CaseRpc(app.db))
        app.subscribe("cases-notices", on_notice_sent)
        app.timer("promise-due", promise_due)

    service = Service(
        "cases", port=7002, settings=Settings, events=cases_events_pb2, ..., compose=compose,
        listens=[Listening("cases-notices", "notifications", [NoticeSent])], calls=["notifications"],
    )
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from chassis import libpq
from chassis.app import App
from chassis.clock import Clock
from chassis.events.declarations import Declaration, Listening
from chassis.grpc.client import Channels
from chassis.names import service_problem
from chassis.settings import EXIT_WRONG_SETTINGS, ServiceSettings, Sources, WrongSettings, load

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, eq=False)
class Service(Generic[S]):
    """A declaration: what provisioning, charts and the broker's permissions are made from.

    Importing it connects to nothing and reads no settings.
    """

    name: str  # 1 to 31 lower-case letters and digits; names the stream, the database's role and the chart
    _: KW_ONLY
    port: int  # gRPC port; health and metrics listen on `port + 100`
    settings: type[S]
    # The generated module of the service's event messages; None for one that tells nothing.
    events: ModuleType | None
    migrations: Path  # the folder with `versions/`; not there, for one with no tables of its own
    compose: Callable[[App[S]], None]  # fills the App
    listens: Sequence[Listening] = ()  # each consumer of another service's events, or of its own
    calls: Sequence[str] = ()  # the services that it calls. Each needs an address in `RAPPORT_PEERS`
    permissions: Sequence[str] = ()  # what this service's own identity needs at other services
    web_port: int = 0  # where what it serves by `App.web` listens

    def __post_init__(self) -> None:
        if problem := service_problem(self.name):
            raise ValueError(problem)

    @property
    def tells(self) -> bool:
        return self.events is not None

    def app(self, settings: S, clock: Clock | None = None) -> App[S]:
        """The service, composed and not yet connected. WrongSettings when a peer has no address."""
        if unknown := [name for name in self.calls if name not in settings.peers]:
            raise WrongSettings(
                f"RAPPORT_PEERS: {self.name} calls {', '.join(unknown)} and is given no address of it. "
                f"It is: {self.settings.model_fields['peers'].description}"
            )
        app = App(self, settings, clock or Clock())
        self.compose(app)
        app.check()
        return app

    def declaration(self, sources: Sequence[str] = ()) -> Declaration:
        """What the service needs of the broker; `sources` as in `chassis.settings.Sources`."""
        return Declaration.of(self.name, self.listens, Sources(sources=list(sources)).heard)

    def describe(self, sources: Sequence[str] = ()) -> dict[str, Any]:
        """All that an installation must know of the service before it runs, as plain values."""
        return {
            **self.declaration(sources).describe(),
            "port": self.port,
            "web_port": self.web_port,
            "calls": list(self.calls),
            "permissions": list(self.permissions),
        }


def main(service: Service[Any]) -> None:
    """The command line of a service: `python -m <service> [serve|migrate|provision|describe|check]`."""
    parser = argparse.ArgumentParser(prog=service.name)
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=["serve", "migrate", "provision", "describe", "check"],
        help="serve (default), migrate the database, provision streams and consumers, describe the service, "
        "or check that everybody whom it calls answers it",
    )
    parser.add_argument("address", nargs="?", help="check: where the service itself is, dns:///cases:7002")
    arguments = parser.parse_args()
    command = arguments.command
    libpq.ignore_variables()
    if command == "describe":
        sources = load(Sources).sources
        sys.stdout.write(json.dumps(service.describe(sources), indent=2) + "\n")
        return
    settings = load(service.settings)
    if command == "migrate":
        from chassis.db.migrate import migrate
        from chassis.db.roles import role_of

        role, keeping = role_of(settings.database_url), settings.keeping
        asyncio.run(
            migrate(_owner_url(settings), service.migrations, role, keeping, settings.database_tls_dir)
        )
    elif command == "provision":
        from chassis.events.provision import NotProvisioned, provision

        url = settings.nats_admin_url or settings.nats_url
        declaration = service.declaration(settings.sources)
        made = provision(url, declaration, settings.replicas, settings.stream_gib, settings.nats_tls_dir)
        try:
            asyncio.run(made)
        except NotProvisioned as problem:
            sys.exit(str(problem))
    else:
        try:
            if command == "check":
                sys.exit(_check(service.app(settings), arguments.address))
            from chassis.lifecycle import serve

            sys.exit(serve(service.name, settings, lambda: service.app(settings)))
        except WrongSettings as problem:
            sys.stderr.write(f"{problem}\n")
            sys.exit(EXIT_WRONG_SETTINGS)


def _check(app: App[Any], address: str | None) -> int:
    """Say who does not answer, with exit code 1."""
    from chassis.operations.reach import unreached

    settings = app.settings
    own = {app.name: address} if address else {}
    channels = Channels({**settings.peers, **own}, settings.token_file, app.certificates)

    async def ask() -> list[str]:
        try:
            return await unreached(channels, app.probes, settings.token_file is not None)
        finally:
            await channels.close()

    found = asyncio.run(ask())
    for sentence in found:
        sys.stderr.write(f"{app.name} does not reach {sentence}\n")
    if not found:
        sys.stdout.write(f"{app.name} reaches {', '.join([*channels, *app.probes]) or 'nobody else'}\n")
    return 1 if found else 0


def _owner_url(settings: ServiceSettings) -> str:
    """Whom to migrate as. Exits with code 2 when that is not somebody else than the service itself."""
    from chassis.db.roles import role_of

    role = role_of(settings.database_url)
    if role and role_of(settings.database_owner_url) not in ("", role):
        return settings.database_owner_url
    sys.stderr.write(
        "RAPPORT_DATABASE_OWNER_URL: must name another role than RAPPORT_DATABASE_URL, whose role serves and "
        f"may not own the tables. It is: {ServiceSettings.model_fields['database_owner_url'].description}\n"
    )
    sys.exit(EXIT_WRONG_SETTINGS)
