"""Pytest fixtures for every department. Load them with `-p rapport_testing.fixtures`."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest
import structlog
import uvloop
from opentelemetry.sdk.trace import ReadableSpan

from chassis import ids, libpq
from chassis.clock import Clock
from chassis.events.provision import provision
from chassis.grpc import server as grpc_server
from chassis.grpc.server import add_servicer
from chassis.lifecycle import Lifecycle
from chassis.service import Service
from chassis.work import runner, timers
from rapport_testing.clock import ManualClock
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import FAST, Infrastructure, in_memory
from rapport_testing.running import Running
from rapport_testing.sharing import Shared, StandingClock, is_alone
from rapport_testing.spans import record_spans
from rapport_testing.tokens import ISSUER, TestIssuer


def pytest_configure() -> None:
    """Whatever the shell says: tests connect to servers of their own, and what Python compiled is kept."""
    libpq.ignore_variables()
    # What is right for images makes each process that a test starts compile everything, for seconds.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["PGSSLMODE"] = "disable"  # these have no TLS, and to be asked for it costs each connection
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    # By itself it draws each traceback with every variable in it, for a fifth of a second each.
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Infrastructure]:
    """Real PostgreSQL and NATS for this test worker."""
    with in_memory(tmp_path_factory.mktemp("infrastructure")) as folder:
        servers = Infrastructure(folder, FAST | {"scram_iterations": "1"})  # a connection costs a third less
        servers.start()
        yield servers
        servers.stop()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> TestIssuer:
    """Signs tokens that services started here accept."""
    return TestIssuer(tmp_path_factory.mktemp("issuer"))


BEGINNING = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the services under test: Monday 2 March 2026, 09:00 UTC, until the test moves it."""
    return ManualClock(BEGINNING)


@pytest.fixture(autouse=True)
def ids_of_this_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ids are made by the test's own clock, also after a test whose clock was ahead: they never go back.

    Those of tests that share services go on from test to test, as does what their services make meanwhile.
    """
    before = ids._last
    alone = is_alone(request)
    if alone or ids.newest() >= BEGINNING + timedelta(seconds=1):
        ids._last = 0
    yield
    if alone:
        ids._last = before + 2**40


@pytest.fixture
def spans() -> Iterator[list[ReadableSpan]]:
    """Every span that ends during the test."""
    with record_spans() as recorded:
        yield recorded


NOBODY = "127.0.0.1:9"  # where calls to a peer go that the test does not give: nothing listens there


class Start(Protocol):
    """Starts a service on a fresh database; keyword arguments become settings."""

    def __call__(
        self, service: Service[Any], *, peers: Mapping[str, str] | None = None, **settings: Any
    ) -> Awaitable[Running]: ...


@contextlib.asynccontextmanager
async def starting(
    infrastructure: Infrastructure, issuer: TestIssuer, clock: Clock, folder: Path, nats_url: str = ""
) -> AsyncIterator[Start]:
    """What starts services in this process for the time of the block: as `start` does for that of a test.

    Each has a fresh database and its own token, which lies in `folder`. They meet at the broker of tests,
    unless another is named.
    """
    nats_url = nats_url or infrastructure.nats_url
    started: list[tuple[Running, str]] = []

    async def begin(
        service: Service[Any], *, peers: Mapping[str, str] | None = None, **settings: Any
    ) -> Running:
        url = await infrastructure.fresh_database(service.name, service.migrations)
        identity = folder / f"{service.name}-token"
        identity.write_text(issuer.token(f"service:{service.name}", service.permissions, service.name))
        configured = service.settings(
            **{
                "database_url": url,
                "nats_url": nats_url,
                "jwks_url": issuer.jwks_url,
                "issuer": ISSUER,
                "token_file": identity,
                "peers": dict.fromkeys(service.calls, NOBODY) | dict(peers or {}),
                "host": "127.0.0.1",
                "grpc_port": free_port(),
                "http_port": free_port(),
                "web_port": free_port() if service.web_port else 0,
                "log_level": "warning",
                "pool_size": 4,  # each connection costs a start more than what most tests do on it
                "address_pepper": "of-tests-alone-and-not-a-secret-",
                "card_pepper": "of-tests-alone-and-not-a-secret-",
                "link_keys": "of-tests-alone-and-not-a-secret-",
                **settings,
            }
        )
        app = service.app(configured, clock)
        await provision(nats_url, app.declaration, replicas=1)
        lifecycle = Lifecycle(app)
        try:
            await lifecycle.start()
        except BaseException:  # or what it began goes on and takes the events of the tests that follow
            await lifecycle.stop()
            raise
        running = Running(app, lifecycle, issuer, nats_url, clock)
        started.append((running, url))
        return running

    with pytest.MonkeyPatch.context() as patch:
        if isinstance(clock, ManualClock):  # of whose moves nobody is told
            for looking in ((runner, "POLL_S"), (timers, "POLL_S"), (runner, "OVERDUE_EVERY_S")):
                patch.setattr(*looking, 0.05)
        yield begin
        patch.setattr(grpc_server, "QUIET_S", 0.001)  # nobody calls any more
        for running, url in reversed(started):
            await running.stop()
            infrastructure.leave_database(url)
    if started:
        await infrastructure.drop_streams(nats_url)


@pytest.fixture
async def start(
    infrastructure: Infrastructure, issuer: TestIssuer, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Start]:
    """Starts services in this process, each with a fresh database and its own token, and stops them after.

    Their clock is `clock`, which is not among the fixtures of a test that does not take it (`is_alone`).
    """
    async with starting(infrastructure, issuer, request.getfixturevalue("clock"), tmp_path) as begin:
        yield begin


@pytest.fixture(scope="module")
async def shared(
    infrastructure: Infrastructure, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shared]:
    """Services of a module's tests, which keep apart by the names of what they make; its clock stands."""
    clock, folder = StandingClock(BEGINNING), tmp_path_factory.mktemp("shared")

    def begin() -> contextlib.AbstractAsyncContextManager[Start]:
        return starting(infrastructure, issuer, clock, folder, infrastructure.shared_nats_url())

    opened = Shared(clock, begin)
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def serving(*servicers: object) -> AsyncIterator[str]:
    """Serve hand-written servicers in place of another service for the time of the block: the address."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    for servicer in servicers:
        add_servicer(server, servicer)
    port = server.add_insecure_port(f"127.0.0.1:{free_port()}")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture
async def fake_peer() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Serves hand-written servicers in place of another service; returns the address."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(*servicers: object) -> str:
            return await stack.enter_async_context(serving(*servicers))

        yield begin
