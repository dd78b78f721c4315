"""Declaring a service, and the command line that every service has.

A service's `__main__.py` is three lines; its `service.py` declares a `Service` and composes an `App`:

    def compose(app: App[Settings]) -> None:
        app.serve(CaseRpc(app.db))
        app.subscribe("cases-notices", "notifications", on_notice_sent)
        app.timer("promise-due", promise_due)

    service = Service("cases", port=7002, settings=Settings, events=cases_events_pb2, ..., compose=compose)
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from chassis.app import App
from chassis.clock import Clock
from chassis.events.facts import FactCodec
from chassis.events.provision import Declaration
from chassis.settings import ServiceSettings, load

S = TypeVar("S", bound=ServiceSettings)


class Service(Generic[S]):
    """A declaration; importing it connects to nothing.

    Args:
        name: lower-case; names the stream, the database role and the chart.
        port: gRPC port; health and metrics listen on `port + 100`.
        settings: the settings class.
        events: the generated module of the service's event messages.
        migrations: the folder with `versions/`.
        compose: fills the App.
        permissions: what this service's own identity needs at other services.

    """

    def __init__(
        self,
        name: str,
        *,
        port: int,
        settings: type[S],
        events: ModuleType,
        migrations: Path,
        compose: Callable[[App[S]], None],
        permissions: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.port = port
        self.settings = settings
        self.migrations = migrations
        self.permissions = tuple(permissions)
        self._facts = FactCodec(events)
        self._compose = compose

    def app(self, settings: S, clock: Clock | None = None) -> App[S]:
        """The service, composed and not yet connected."""
        app = App(self.name, settings, self._facts, clock or Clock())
        self._compose(app)
        return app

    def declaration(self) -> Declaration:
        """What the service needs of the broker; needs no settings."""
        placeholders = cast(S, self.settings.model_construct(**_PLACEHOLDERS))
        return self.app(placeholders).declaration()


_PLACEHOLDERS: dict[str, Any] = {
    "database_url": "postgresql:///",
    "nats_url": "nats://",
    "jwks_url": "file:///",
    "issuer": "rapport-local",
}


def main(service: Service[Any]) -> None:
    """The command line of a service: `python -m <service> [serve|migrate|provision|describe]`."""
    parser = argparse.ArgumentParser(prog=service.name)
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=["serve", "migrate", "provision", "describe"],
        help="serve (default), migrate the database, provision streams and consumers, or describe those",
    )
    command = parser.parse_args().command
    if command == "describe":
        sys.stdout.write(json.dumps(service.declaration().describe(), indent=2) + "\n")
        return
    settings = load(service.settings)
    if command == "migrate":
        from chassis.db.migrate import migrate

        asyncio.run(migrate(settings.database_url, service.migrations))
    elif command == "provision":
        from chassis.events.provision import provision

        asyncio.run(
            provision(settings.nats_admin_url or settings.nats_url, service.declaration(), settings.replicas)
        )
    else:
        from chassis.lifecycle import serve

        sys.exit(serve(service, settings))
