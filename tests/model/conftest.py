"""The four services, of which nothing runs by itself: relay, broker, timers and sending are the test's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cases.service import service as cases
from chassis.app import App
from chassis.auth.tokens import Verifier
from chassis.db.maintain import keep
from chassis.grpc.server import Server
from chassis.inbox.freshness import SourceState, Standing
from chassis.service import Service
from chassis.work.timers import TimerRunner
from customer.service import service as customer
from loyalty.service import service as loyalty
from notifications.jobs.sending import Sending
from notifications.service import service as notifications
from rapport_testing.channels import aio_channel
from rapport_testing.clock import ManualClock
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks
from tests.model.broker import Broker
from tests.model.post import Post

START = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
SERVICES: list[Service[Any]] = [customer, cases, loyalty, notifications]


class World:
    """The services, and what drives them."""

    def __init__(self, infrastructure: Infrastructure, issuer: TestIssuer, folder: Path) -> None:
        self.clock = ManualClock(START)
        self._infrastructure, self._issuer, self._folder = infrastructure, issuer, folder
        self._peers = {service.name: f"127.0.0.1:{free_port()}" for service in SERVICES}
        self.apps: dict[str, App[Any]] = {}
        self._servers: list[Server] = []
        self._urls: list[str] = []
        self._databases: list[Any] = []  # as superuser
        self._opened = AsyncExitStack()
        self._stubs: dict[Any, Any] = {}

    async def open(self) -> None:
        for service in SERVICES:
            await self._serve(service)
        for url in self._urls:
            superuser = self._infrastructure.superuser(url)
            self._databases.append(await self._opened.enter_async_context(superuser))
        self.broker = Broker(list(self.apps.values()))
        notices = self.apps["notifications"]
        [sending] = [each for each in notices.workers if isinstance(each, Sending)]
        self.post = Post(notices.db, sending)
        self._timers = TimerRunner(self.apps["cases"].db, self.apps["cases"].timers)
        self._timers._room = asyncio.Semaphore(1)  # one after the other, so that a history repeats itself

    async def begin(self) -> None:
        """A new story: the clock is set back, and what was to happen to the one before is forgotten."""
        self.clock.advance(START - self.clock.now())
        for database in self._databases:
            await database.execute("DELETE FROM work; DELETE FROM timers")
        self.broker.forget()

    async def fire(self) -> None:
        """Let the timers that are due fire."""
        await self._timers.fire()
        await self.broker.collect()

    def stub(self, stub: Any, service: str) -> Any:
        """A client with every right in every department."""
        if stub not in self._stubs:
            token = self._issuer.token(permissions=("*",), department="delivery", lifetime_s=3600)
            channel = aio_channel(self._peers[service], token, 5.0)
            self._opened.push_async_callback(channel.close, None)
            self._stubs[stub] = stub(channel)
        return self._stubs[stub]

    async def close(self) -> None:
        await self._opened.aclose()
        for server in self._servers:
            await server.stop(0)
        for app in self.apps.values():
            await app.channels.close()
            await app.db.close()
        for url in self._urls:
            await self._infrastructure.drop_database(url)

    async def _serve(self, service: Service[Any]) -> None:
        url = await self._infrastructure.fresh_database(service.name, service.migrations)
        identity = self._folder / f"{service.name}-token"
        identity.write_text(
            self._issuer.token(f"service:{service.name}", service.permissions, service.name, 3600)
        )
        settings = service.settings(
            database_url=url,
            nats_url=self._infrastructure.nats_url,
            jwks_url=self._issuer.jwks_url,
            issuer=ISSUER,
            token_file=identity,
            peers={name: self._peers[name] for name in service.calls},
            **({"smtp_host": "127.0.0.1"} if service is notifications else {}),
        )
        app = service.app(settings, self.clock)
        app.freshness.of = lambda source: SourceState(Standing.SILENT, 0.0, 0)  # there is no broker to ask
        await app.db.open()
        await keep(app.db)
        for opener in app.openers:
            await opener()
        if service is notifications:  # there is nobody who calls
            async with app.db.connection() as connection:
                await connection.execute(
                    "UPDATE policies SET call_first = 'NEVER' WHERE id = 'promise-at-risk'"
                )
        verifier = Verifier(settings.jwks_url, settings.issuer)
        server = Server(app.name, app.servicers, verifier, nobody_asks, self.clock)
        await server.start("127.0.0.1", int(self._peers[service.name].rpartition(":")[2]))
        self.apps[service.name] = app
        self._servers.append(server)
        self._urls.append(url)


@pytest.fixture(autouse=True)
def ids_of_this_test() -> None:
    """Ids go on from story to story, though the clock is set back: what a story tells is later by its id."""


@pytest.fixture(scope="module")
async def world(
    infrastructure: Infrastructure, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    world = World(infrastructure, issuer, tmp_path_factory.mktemp("identities"))
    await world.open()
    yield world
    await world.close()
