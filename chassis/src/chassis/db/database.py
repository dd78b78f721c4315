"""A service's connection to its PostgreSQL: a pool, single statements, and transactions."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from chassis.clock import Clock
from chassis.context import current_call
from chassis.db.lost import LOST
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import Unavailable
from chassis.events.facts import FactCodec
from chassis.limits import Limits
from chassis.telemetry.tracing import sql_span

# What the server refuses to wait for, whatever the client does (docs/reliability.md, 2.4).
SERVER_GUARDS = {
    "statement_timeout": "5s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "15s",
}
ACQUIRE_TIMEOUT_S = 2.0


class Database:
    """One service's database.

    Args:
        url: `postgresql://user:password@host:port/database`.
        service: the service's name, the source of its facts.
        facts: knows the service's event messages.
        clock: the source of time.
        pool_size: connections held; 10 to 20 serve one process best.

    """

    def __init__(self, url: str, service: str, facts: FactCodec, clock: Clock, pool_size: int = 10) -> None:
        self.service = service
        self.facts = facts
        self.clock = clock
        self.published: Callable[[], None] = lambda: (
            None
        )  # the relay's wake-up, called after a commit with facts
        self.scheduled: Callable[[datetime], None] = lambda due_at: (
            None
        )  # the timers' wake-up, with when one is due
        self._url = url
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._limits = Limits()

    async def open(self) -> None:
        """Connect. OSError or asyncpg.PostgresError when the server cannot be reached or refuses."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=2,
            max_size=self._pool_size,
            timeout=5,
            command_timeout=10,
            init=_prepare,
            reset=_nothing_to_reset,
            server_settings={"application_name": self.service, **SERVER_GUARDS},
        )

    async def close(self) -> None:
        """Close every connection, waiting at most 5 seconds for those in use."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()

    async def problem(self) -> str:
        """Why the database cannot be used right now, in words; empty when it can."""
        try:
            async with self.connection() as connection:
                await asyncio.wait_for(connection.execute("SELECT 1"), ACQUIRE_TIMEOUT_S)
        except (Unavailable, *LOST, asyncpg.PostgresError) as error:
            return f"the database does not answer ({type(error).__name__})"
        return ""

    async def dedicated(self) -> asyncpg.Connection:
        """A connection outside the pool, for work that holds session locks. The caller closes it."""
        settings = {"application_name": self.service, **SERVER_GUARDS}
        return await asyncpg.connect(self._url, timeout=5, command_timeout=10, server_settings=settings)

    def connection(self) -> "_Borrowed":
        """Borrow a connection. Unavailable (`DATABASE_UNAVAILABLE`) when there is none within 2 seconds."""
        assert self._pool is not None, "Database.open was not called"
        return _Borrowed(self._pool, self._limits)

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        """Run one statement in a transaction of its own."""
        async with self.connection() as connection:
            with sql_span(statement):
                rows: list[Any] = await connection.fetch(statement.sql, *args)
                return rows

    def transaction(self) -> "_Transacting":
        """One transaction for the current call: effect, facts, audit and stored response commit together.

        Commits when the block ends, rolls back when it raises. A commit, once begun, is finished even when
        the caller goes away, and when its outcome is lost it is looked up by the audit row's id.
        """
        return _Transacting(self)


class _Borrowed:
    """A connection of the pool for the time of a block. A class: a generator costs a read 7 % more."""

    __slots__ = ("_connection", "_limits", "_pool")

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: Limits) -> None:
        self._pool = pool
        self._limits = limits

    async def __aenter__(self) -> "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]":
        try:
            with self._limits.limit(ACQUIRE_TIMEOUT_S):
                self._connection = await self._pool.acquire()
        except (*LOST, asyncpg.PostgresError) as error:
            raise unavailable() from error
        return self._connection

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, asyncpg.InternalClientError):  # the driver lost track: it is of no more use
            self._connection.terminate()
        await self._pool.release(self._connection)


class _Transacting:
    """A transaction for the time of a block, on a connection of the pool."""

    __slots__ = ("_borrowed", "_call", "_db", "_tx")

    def __init__(self, db: Database) -> None:
        self._db = db
        self._call = current_call.get()  # before there is a connection to lose
        self._borrowed = db.connection()

    async def __aenter__(self) -> Transaction:
        connection = await self._borrowed.__aenter__()
        self._tx = Transaction(self._db, connection, self._call)
        return self._tx

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            await (self._tx.commit() if error is None else self._tx.rollback())
        except BaseException as failure:
            await self._borrowed.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._borrowed.__aexit__(kind, error, traceback)


async def _prepare(connection: asyncpg.Connection) -> None:
    """Columns of type JSONB hold plain Python values. On the wire a version byte precedes the JSON text."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Save a round trip. An open transaction is rolled back all the same. See `dedicated`."""


def unavailable() -> Unavailable:
    """The refusal when the database cannot be reached."""
    return Unavailable(
        "DATABASE_UNAVAILABLE", "The service's database cannot be reached. Try again.", retry_after_s=1
    )
