"""A service's connection to its PostgreSQL: a pool, single statements, and transactions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis.clock import Clock
from chassis.context import current_call
from chassis.db.failures import DRIVER_ERRORS, discard, refusal_discarding, unavailable
from chassis.db.pool import Pool
from chassis.db.session import (
    COMMAND_S,
    GUARDS,
    HELD,
    VANISHED,
    Session,
    connected,
    guard,
    prepare,
    refuse_shared,
)
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import overloaded
from chassis.telemetry import metrics
from chassis.telemetry.tracing import sql_span
from chassis.timeouts import Timeouts

ACQUIRE_TIMEOUT_S = 2.0
CLOSE_S = 5.0


class Database:
    """One service's database.

    The URL is `postgresql://user:password@host:port/database`, also with several hosts, of which one takes
    writes. A function is asked for it anew for each connection, so that another password needs no new start;
    and so is `tls_dir`, the folder of `chassis.tls.context`, if there is one. `facts` makes rows of the
    outbox: `chassis.events.facts.FactCodec`. 10 to 20 connections serve one process best; the health check
    has one more.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        service: str,
        facts: Any,
        clock: Clock,
        pool_size: int = 10,
        tls_dir: Path | None = None,
    ) -> None:
        self.service = service
        self.facts = facts
        self.clock = clock
        # Called after a commit: with facts, for the relay; with timers, each with when it is due; with work.
        self.on_facts: Callable[[], None] = lambda: None
        self.on_timer: Callable[[datetime], None] = lambda due_at: None
        self.on_work: Callable[[], None] = lambda: None
        self._urls = url if callable(url) else lambda: url
        self._tls_dir = tls_dir
        self._pool_size = pool_size
        self._pool: Pool | None = None
        self._limits = Timeouts()
        # What events and timers take a place of while they work: half of the pool for all of them together,
        # so that no flood of theirs takes the connections of requests.
        self.background = asyncio.Semaphore(max(1, pool_size // 2))
        self._patient = asyncio.Semaphore(max(1, pool_size // 4))
        self._probe: Session | None = None
        self._probing = asyncio.Lock()

    async def open(self) -> None:
        """Connect. UnsuitableDatabase when it is too old, or behind a pooler that shares sessions.

        OSError, asyncpg.PostgresError, asyncpg.InternalClientError: the server cannot be reached, or refuses,
        or is a standby.
        """
        pool = Pool(self._pooled, self._pool_size)
        try:
            first, second = [await pool.acquire() for _ in range(2)]
            await refuse_shared(first, second)
        except BaseException:
            await pool.close(0)
            raise
        pool.release(first)
        pool.release(second)
        self._measure(pool)
        self._pool = pool

    def _measure(self, pool: Pool) -> None:
        """Have what the pool does told whenever metrics are read."""
        metrics.POOL_SIZE.set(self._pool_size)
        metrics.POOL_WAITING.set_function(lambda: pool.in_line)
        metrics.POOL_CONNECTIONS.labels("idle").set_function(lambda: pool.idle)
        metrics.POOL_CONNECTIONS.labels("in_use").set_function(lambda: pool.lent)

    async def close(self) -> None:
        """Close every connection, waiting at most 5 seconds for those in use."""
        if self._probe is not None:
            self._probe.terminate()
        if self._pool is not None:
            await self._pool.close(CLOSE_S)

    async def problem(self) -> str:
        """Why the database cannot be used right now, in words; empty when it can.

        Asked on a connection of its own: that all others are busy is no outage.
        """
        async with self._probing:
            try:
                async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                    if self._probe is None or self._probe.is_closed():
                        self._probe = await self.dedicated()
                    if await self._probe.fetchval("SELECT pg_is_in_recovery()"):
                        discard(self._probe)
                        return "the database has become a standby"
            except DRIVER_ERRORS as error:
                if self._probe is not None:
                    discard(self._probe)
                return f"the database does not answer ({type(error).__name__})"
        return ""

    async def dedicated(self) -> Session:
        """A connection outside the pool, for work that holds session locks. The caller closes it.

        The server ends it when it is not used for 20 seconds, or when its other end has vanished.
        """
        session = await self._connect()
        try:
            await guard(session, GUARDS | VANISHED)
        except BaseException:
            session.terminate()
            raise
        return session

    @property
    def _url(self) -> str:
        return self._urls()

    async def _connect(self, **options: Any) -> Session:
        """What is given by settings is as it is now."""
        session: Session = await connected(
            self._url,
            self._tls_dir,
            timeout=5,
            command_timeout=COMMAND_S,
            connection_class=Session,
            target_session_attrs="read-write",
            server_settings={"application_name": self.service},
            **options,
        )
        return session

    async def _pooled(self) -> Session:
        """A connection of the pool. Its statements stay prepared as long as it lives, long ones too."""
        session = await self._connect(
            statement_cache_size=HELD, max_cached_statement_lifetime=0, max_cacheable_statement_size=0
        )
        try:
            await prepare(session)
        except BaseException:
            session.terminate()
            raise
        session.limits = self._limits
        return session

    def connection(self) -> "_Borrowed":
        """Borrow a connection.

        Unavailable (`DATABASE_UNAVAILABLE`) when the database cannot be reached, ResourceExhausted
        (`OVERLOADED`) when all connections are in use for 2 seconds.
        """
        assert self._pool is not None, "Database.open was not called"
        return _Borrowed(self, self._pool)

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        """Run one statement in a transaction of its own."""
        async with self.connection() as connection:
            with sql_span(statement):
                rows: list[Any] = await connection.rows(statement.sql, args)
                return rows

    def reading(self) -> "_Reading":
        """An executor on one connection, of statements each in a transaction of its own.

        To borrow one for each costs more than a short statement does. Nothing else is waited for meanwhile.
        """
        return _Reading(self)

    def transaction(self, lock_timeout_ms: int | None = None, strictly: bool = True) -> "_Transacting":
        """One transaction for the current call: effect, facts, audit and stored response commit together.

        Commits when the block ends, rolls back when it raises. A commit, once begun, is finished even when
        the caller goes away, and when its answer is lost, `chassis.db.outcome` finds out what became of it.

        A lock is waited for a second unless `lock_timeout_ms` is given; `strictly` also where that costs a
        round trip: in a transaction of one statement.
        """
        return _Transacting(self, lock_timeout_ms, strictly)

    @contextlib.asynccontextmanager
    async def patiently(self) -> AsyncIterator[None]:
        """Be one of the few at once that wait for locks for long. TimeoutError after 2 seconds."""
        with self._limits.limit(ACQUIRE_TIMEOUT_S):
            await self._patient.acquire()
        try:
            yield
        finally:
            self._patient.release()


class _Borrowed:
    """A connection of the pool for the time of a block. A class: a generator costs a read 7 % more."""

    __slots__ = ("_connection", "_db", "_pool")

    def __init__(self, db: Database, pool: Pool) -> None:
        self._db, self._pool = db, pool

    async def __aenter__(self) -> Session:
        try:
            session = self._pool.take()
            if session is None:
                with self._db._limits.limit(ACQUIRE_TIMEOUT_S):
                    session = await self._pool.acquire()
        except DRIVER_ERRORS as error:
            # While there are connections, who waited for one did so in line: it may have come back just now,
            # or one of the others may have been lost.
            in_line = isinstance(error, TimeoutError) and self._pool.lent + self._pool.idle > 0
            if in_line:
                metrics.POOL_TIMEOUTS.inc()
                raise overloaded("Too much at once for the database. Try again.") from error
            raise unavailable() from error
        self._connection = session
        return session

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        refusal = refusal_discarding(error, self._connection) if isinstance(error, DRIVER_ERRORS) else None
        self._pool.release(self._connection)
        if refusal is not None:
            raise refusal from error


class _Reading:
    """A connection of the pool for several statements."""

    __slots__ = ("_borrowed", "_connection")

    def __init__(self, db: Database) -> None:
        self._borrowed = db.connection()

    async def __aenter__(self) -> "_Reading":
        self._connection = await self._borrowed.__aenter__()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        await self._borrowed.__aexit__(kind, error, traceback)

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        with sql_span(statement):
            rows: list[Any] = await self._connection.rows(statement.sql, args)
            return rows


class _Transacting:
    """A transaction for the time of a block, on a connection of the pool."""

    __slots__ = ("_borrowed", "_call", "_db", "_patience", "_tx")

    def __init__(self, db: Database, lock_timeout_ms: int | None, strictly: bool) -> None:
        self._db = db
        self._call = current_call.get()  # before there is a connection to lose
        self._patience = lock_timeout_ms, strictly
        self._borrowed = db.connection()

    async def __aenter__(self) -> Transaction:
        connection = await self._borrowed.__aenter__()
        self._tx = Transaction(self._db, connection, self._call, *self._patience)
        return self._tx

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            await (self._tx.commit() if error is None else self._tx.rollback())
        finally:
            del self._tx._connection  # what is done with it from here on would be done in somebody else's
            await self._borrowed.__aexit__(None, None, None)
