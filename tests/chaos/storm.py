"""What happens to the parts of a stack, by a seed."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from tests.e2e.stack import Stack

A_WHILE_S = (3.0, 8.0)
BREATH_S, HELD_S = 0.05, 0.45  # of who is slow: it runs, it does not
LOSS = "0.3"
PATIENCE_S = 120.0
UNREACHED = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
CAN_CUT = os.geteuid() == 0 and shutil.which("iptables") is not None

Fault = tuple[Callable[[str], Awaitable[None]], str]


class Storm:
    """Faults of the parts of a stack.

    Args:
        count: how many are drawn; 0 for each of each once.
        seed: by which they are drawn.
    """

    def __init__(self, stack: Stack, count: int, seed: int) -> None:
        self._stack = stack
        self._count = count
        self.chance = random.Random(seed)

    def faults(self) -> list[Fault]:
        """What happens, in this order."""
        to_parts = [self.kill, self.freeze, self.slow, *([self.cut, self.lose_packets] if CAN_CUT else [])]
        to_databases = [self.fail_over, self.lapse_leases, self.hold_tables]
        every: list[Fault] = [(each, name) for name in self._parts() for each in to_parts]
        every += [(each, name) for name in Session.open().peers for each in to_databases]
        every.append((self.lose_store, "NATS"))
        if self._count:
            return self.chance.choices(every, k=self._count)
        return self.chance.sample(every, len(every))

    def _parts(self) -> list[str]:
        """Everything that can happen to something; traces are nobody's ground."""
        return [unit["name"] for unit in self._stack.home.read_status()["units"] if unit["name"] != "traces"]

    async def kill(self, name: str) -> None:
        """As the kernel does when memory is short."""
        with suppress(ProcessLookupError):  # it is being started again
            os.kill(self._stack.unit(name)["pid"], signal.SIGKILL)

    async def lose_store(self, name: str) -> None:
        """The broker's disk is gone."""
        await self.kill(name)
        shutil.rmtree(self._stack.home.path / "nats" / "jetstream", ignore_errors=True)

    async def freeze(self, name: str) -> None:
        """It keeps its sockets and locks and does nothing, PostgreSQL's backends included."""
        with self._held(name):
            await self._a_while()

    async def slow(self, name: str) -> None:
        """It gets a tenth of its time, as on a disk that is worn out."""
        until = time.monotonic() + self.chance.uniform(*A_WHILE_S)
        while time.monotonic() < until:
            with self._held(name):
                await asyncio.sleep(HELD_S)
            await asyncio.sleep(BREATH_S)

    async def cut(self, name: str) -> None:
        """The network takes what is meant for it, and brings it nowhere."""
        with self._dropped(name):
            await self._a_while()

    async def lose_packets(self, name: str) -> None:
        """The network loses some of what is meant for it."""
        with self._dropped(name, "-m", "statistic", "--mode", "random", "--probability", LOSS):
            await self._a_while()

    async def fail_over(self, service: str) -> None:
        """The database of a service cuts off who is connected, and refuses everybody for a while."""
        allow = f"ALTER DATABASE {service} WITH ALLOW_CONNECTIONS"
        cut_off = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{service}'"
        await self._administer(f"{allow} false", cut_off)
        await self._a_while()
        await self._administer(f"{allow} true")

    async def lapse_leases(self, service: str) -> None:
        """Time runs away from whoever holds something: it is not theirs any more, and they do not know."""
        await self._administer(
            "UPDATE work SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL",
            "UPDATE parked SET due_at = clock_timestamp() WHERE state = 'PARKED'",
            database=service,
        )

    async def hold_tables(self, service: str) -> None:
        """Somebody's session keeps everybody from writing, as of a person who went to lunch."""
        with suppress(*UNREACHED):
            async with _connected(service) as connection, connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '2s'")
                await connection.execute("LOCK TABLE outbox, inbox, work, parked, timers IN EXCLUSIVE MODE")
                await self._a_while()

    async def _administer(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, whatever else happens to the server meanwhile."""

        async def done() -> bool:
            try:
                async with asyncio.timeout(10), _connected(database) as connection:
                    for statement in statements:
                        await connection.execute(statement)
            except UNREACHED as error:
                raise AssertionError(f"{statements[0]}: {error!r}") from error
            return True

        await eventually(done, PATIENCE_S)

    async def _a_while(self) -> None:
        await asyncio.sleep(self.chance.uniform(*A_WHILE_S))

    @contextmanager
    def _held(self, name: str) -> Iterator[None]:
        """Nothing of it runs."""
        held: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._stack.unit(name)["pid"])
            held = [process, *process.children(recursive=True)]
        try:
            for each in held:
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
            yield
        finally:
            for each in held:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    @contextmanager
    def _dropped(self, name: str, *which: str) -> Iterator[None]:
        """Packets for it are dropped."""
        ports: set[str] = set()
        with suppress(psutil.NoSuchProcess):
            listening = psutil.Process(self._stack.unit(name)["pid"]).net_connections("tcp")
            ports = {str(each.laddr.port) for each in listening if each.status == psutil.CONN_LISTEN}
        if not ports:
            yield
            return
        to_it = f"INPUT -i lo -p tcp -m multiport --dports {','.join(ports)}"
        rule = [*to_it.split(), *which, "-j", "DROP"]
        subprocess.run(["iptables", "-w", "-I", *rule], check=True)
        try:
            yield
        finally:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True)


@asynccontextmanager
async def _connected(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    url = urlsplit(Session.open().env["RAPPORT_LOCAL_POSTGRES_URL"])
    connection = await asyncpg.connect(urlunsplit(url._replace(path=f"/{database}")), timeout=10)
    try:
        yield connection
    finally:
        with suppress(*UNREACHED):
            await connection.close(timeout=5)
