"""Starting a service in order, keeping watch over it, and draining it in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import nats.errors
import structlog
import uvloop

from chassis import health
from chassis.app import App
from chassis.db.failures import DRIVER_ERRORS
from chassis.db.maintain import keep_partitions, make_partitions
from chassis.db.read_audit import ReadAudit
from chassis.db.roles import missing
from chassis.db.roles import problem as role_problem
from chassis.db.session import UnsuitableDatabase
from chassis.db.statement import tell_purposes
from chassis.errors import Refusal
from chassis.events.nats import Connection, connect
from chassis.events.provision import NotProvisioned, verify
from chassis.grpc.server import Server
from chassis.inbox import aliases
from chassis.inbox.consumer import Consumer
from chassis.operations.rpc import OperationsRpc
from chassis.operations.store import count_backlog, measure
from chassis.outbox.heartbeat import Heartbeat
from chassis.outbox.relay import Relay
from chassis.settings import EXIT_WRONG_SETTINGS, ServiceSettings, WrongSettings
from chassis.telemetry import logging as telemetry_logging
from chassis.telemetry import metrics, tracing
from chassis.web import WebServer
from chassis.work.runner import WorkRunner
from chassis.work.timers import TimerRunner

EXIT_UNREACHABLE = 3
EXIT_CRASHED = 1
GRACE_S = 15.0
CHECK_EVERY_S = 5.0
MISSES_UNTIL_UNREADY = 2
MISSES_UNTIL_EXIT = 12  # longer than the client's own pings need to notice that a connection is dead

log = structlog.get_logger()


class Unreachable(Exception):
    """A dependency did not answer in time at start."""


class Lifecycle:
    """One start and one stop of a service.

    Start: health endpoint, database, openers, broker, relay, consumers, timers, gRPC server, ready.
    Stop, each step bounded: not ready, wait for load balancers, stop fetching, finish calls, work and
    handlers, release the relay's leases, close connections.
    """

    def __init__(self, app: App[Any]) -> None:
        settings: ServiceSettings = app.settings
        self.app = app
        self.grpc_port = settings.grpc_port or app.port
        self.http_port = settings.http_port or self.grpc_port + 100
        self.failed = asyncio.Event()  # set when a part that must run has died
        self.problems = ["starting"]  # what keeps the service from being ready, in words
        self.warnings: list[str] = []  # what is amiss while it serves all the same
        self._draining = False
        self._tasks: list[asyncio.Task[None]] = []
        self._connections: list[Connection] = []

    async def start(self) -> None:
        """Bring the service up. Unreachable when database or broker do not answer in time."""
        app, settings = self.app, self.app.settings
        told = health.health_app(app.name, lambda: self.problems, lambda: self.warnings)
        self._health = WebServer(
            told, settings.host, self.http_port, health.CONNECTIONS_MAX, health.CONNECTION_S
        )
        await self._health.open()
        await self._reach("the database", settings.database_url, app.db.open)
        await self._reach("the database", settings.database_url, self._migrated)
        # Before anything writes: a row on its way into the default partition cannot follow a new one.
        await self._reach("the database", settings.database_url, lambda: make_partitions(app.db))
        for opener in app.openers:
            await opener()
        self._nats = await self._reach("the broker", settings.nats_url, self._connect)
        await self._reach("the broker", settings.nats_url, lambda: verify(self._nats, app.declaration))
        await app.freshness.start(self._nats, app.subscriptions)
        await app.broadcast.start(self._nats)
        app.past.start(self._nats)
        publishing = await self._connect(pending_size=0)
        self._relay = Relay(app.db, publishing)
        keeps_aliases = aliases.listening(app.name).durable in {each.durable for each in app.subscriptions}
        self._heartbeat = Heartbeat(app.db, publishing, keeps_aliases)
        self._consumers = [Consumer(app.db, self._nats, subscription) for subscription in app.subscriptions]
        self._work = WorkRunner(app.db, app.workers)
        for run in (
            self._relay.run,
            self._work.run,
            self._heartbeat.run,
            app.freshness.run,
            TimerRunner(app.db, app.timers).run,
            lambda: keep_partitions(app.db),
            metrics.watch_loop,
            lambda: measure([partial(count_backlog, app.db), *app.measurements]),
            *(consumer.run for consumer in self._consumers),
            *app.backgrounds,
        ):
            self._run(run)
        self._run(app.verifier.run)
        self._read_audit = ReadAudit(app.db)
        self._run(self._read_audit.run)
        operations = OperationsRpc(app.db, self._nats, app.declaration.subscriptions)
        servicers = [*app.servicers, operations]
        self.server = Server(
            app.name, servicers, app.verifier, self._read_audit.note, app.db.clock, app.certificates
        )
        await self.server.start(settings.host, self.grpc_port)
        if app.site is not None:
            self._web = WebServer(app.site, settings.host, settings.web_port or app.web_port)
            self._run(self._web.run)
        self._run(self._watch)
        self._be_ready([])

    async def stop(self) -> None:
        """Drain and close. Safe after a start that failed half way."""
        self._be_ready(["draining"])
        self._draining = True
        await asyncio.sleep(self.app.settings.drain_wait_s)
        self.app.draining.set()
        consumers = getattr(self, "_consumers", [])
        for consumer in consumers:
            consumer.stop_fetching()
        if hasattr(self, "_web"):
            await self._web.stop(GRACE_S)
        if hasattr(self, "server"):
            await self.server.stop(GRACE_S)
            await self._read_audit.finish()
        if hasattr(self, "_work"):
            await self._work.stop(GRACE_S)
        await asyncio.gather(*(consumer.finished(GRACE_S) for consumer in consumers))
        await cancelled(self._tasks)
        if hasattr(self, "_health"):
            await self._health.stop(health.ANSWER_S)
        await self.app.channels.close()
        await self.app.forwarding.close()
        for connection in self._connections:
            await connection.close()
        await self.app.db.close()

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a part that must not end before the service does."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("a part of the service died", part=task.get_name(), exc_info=error)
                self.failed.set()

        task = asyncio.create_task(work(), name=getattr(work, "__qualname__", repr(work)))
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def _connect(self, pending_size: int | None = None) -> Connection:
        settings = self.app.settings
        connection = await connect(
            lambda: str(settings.current("nats_url")),
            self.app.name,
            closed=self.failed.set,
            pending_size=pending_size,
            tls_dir=settings.nats_tls_dir,
        )
        self._connections.append(connection)
        return connection

    async def _reach(self, what: str, url: str, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """Try until it works, saying once what is missing."""
        where = url.rsplit("@", 1)[-1]  # never the password
        deadline = asyncio.get_running_loop().time() + self.app.settings.startup_timeout_s
        while True:
            try:
                return await attempt()
            except (Refusal, *DRIVER_ERRORS, nats.errors.Error, NotProvisioned) as error:
                problem = f"{what} at {where} cannot be reached ({type(error).__name__})"
                if isinstance(error, NotProvisioned):
                    problem = str(error)
                if self.problems != [problem]:
                    log.warning("waiting", problem=problem)
                self._be_ready([problem])
                if asyncio.get_running_loop().time() > deadline:
                    if isinstance(error, NotProvisioned):
                        raise
                    raise Unreachable(problem) from error
                await asyncio.sleep(0.5)

    async def _migrated(self) -> None:
        if lacking := await missing(self.app.db, self.app.migrations):
            raise NotProvisioned(
                f"the database lacks {', '.join(lacking)}: run `python -m {self.app.name} migrate`"
            )
        if problem := await role_problem(self.app.db):
            raise NotProvisioned(problem)

    def _be_ready(self, problems: list[str]) -> None:
        if self._draining:  # for good
            return
        self.problems = problems
        if hasattr(self, "server"):
            self.server.set_ready(not problems)

    def _warn(self, warnings: list[str]) -> None:
        if warnings and warnings != self.warnings:
            log.warning("something is amiss", warnings=warnings)
        self.warnings = warnings
        metrics.WARNINGS.set(len(warnings))

    async def _watch(self) -> None:
        """Be unready while the database does not answer.

        A broker that is away, or has lost something, is told as a warning and no reason to refuse calls: they
        need none. Facts wait in the outbox, and views say that they are SILENT. Were it a reason, every
        replica of every service would be without callers at once.
        To end the process helps against neither being away, so it is left to wait. Only a broker's client
        that gets no answers for a minute and believes to be connected is given up, with the process.
        """
        misses = broker_misses = 0
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            database, broker = await self.app.db.problem(), await self._nats.problem()
            misses = misses + 1 if database else 0
            if misses == 0 or misses >= MISSES_UNTIL_UNREADY:
                self._be_ready([database] if database else [])
            self._warn([p for p in (broker, self._heartbeat.problem, *self.app.freshness.problems) if p])
            broker_misses = broker_misses + 1 if broker and not self._nats.is_reconnecting() else 0
            if broker_misses >= MISSES_UNTIL_EXIT:
                log.error("the broker connection is lost for good", problem=broker)
                self.failed.set()


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End parts. They are asked again: `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    pending = set(tasks)
    for _ in range(int(GRACE_S)):
        for task in pending:
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=1)


def serve(name: str, settings: ServiceSettings, compose: Callable[[], App[Any]]) -> int:
    """Run the service that `compose` makes until SIGTERM or SIGINT.

    Exit code: 0 drained, 1 crashed, 2 wrong settings, 3 dependency unreachable.
    """
    os.environ.setdefault("RAPPORT_SERVICE", name)
    telemetry_logging.setup(name, settings.log_level, settings.log_format)
    tell_purposes()
    try:
        tracing.setup(name)
    except ValueError as problem:  # an OTEL_ variable that we cannot obey
        sys.stderr.write(f"{name}: {problem}\n")
        return EXIT_WRONG_SETTINGS
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(name, settings, compose))
    finally:
        tracing.shutdown()


async def _serve(name: str, settings: ServiceSettings, compose: Callable[[], App[Any]]) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    lifecycle = Lifecycle(compose())
    starting = asyncio.create_task(lifecycle.start())
    ends = [asyncio.create_task(stopping.wait()), asyncio.create_task(lifecycle.failed.wait())]
    code = 0
    try:
        await asyncio.wait([starting, *ends], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            log.info("serving", service=name, grpc_port=lifecycle.grpc_port, http_port=lifecycle.http_port)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    except Unreachable as problem:
        sys.stderr.write(f"{name}: {problem}; giving up after {settings.startup_timeout_s:g} s\n")
        code = EXIT_UNREACHABLE
    except WrongSettings as problem:  # with what is stored
        sys.stderr.write(f"{name}: {problem}\n")
        code = EXIT_WRONG_SETTINGS
    except (OSError, NotProvisioned, UnsuitableDatabase) as problem:  # a port is taken, streams are missing
        sys.stderr.write(f"{name}: {problem}\n")
        code = EXIT_CRASHED
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await lifecycle.stop()
    log.info("stopped", service=name)
    return EXIT_CRASHED if lifecycle.failed.is_set() else code
