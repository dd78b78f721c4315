"""Sessions with PostgreSQL: what the server refuses to wait for, and which of its processes one talks to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
from asyncpg.protocol.protocol import NO_TIMEOUT

from chassis import tls
from chassis.db.failures import DRIVER_ERRORS
from chassis.timeouts import Timeouts, woken

OLDEST = 15
# What the server refuses to wait for or to do, whatever the client does; and since which major version.
GUARDS = {
    "statement_timeout": ("5s", 0),
    "lock_timeout": ("1s", 0),
    "idle_in_transaction_session_timeout": ("10s", 0),
    "transaction_timeout": ("15s", 17),
    # A call has one of the server's processes, as many calls come at once: to start others for one statement
    # takes longer than any of ours, and the planner, who knows words' frequency badly, would for each search.
    "max_parallel_workers_per_gather": ("0", 0),
    # Nor does compiling one pay: tens of milliseconds, as soon as the planner takes it for costly.
    "jit": ("off", 0),
}
# For sessions that hold locks: the server lets go soon after their owner has vanished without a word, or
# stands still. They are used every few seconds, far more often than this: see `kept`.
VANISHED = {
    "tcp_keepalives_idle": ("10s", 0),
    "tcp_keepalives_interval": ("5s", 0),
    "tcp_keepalives_count": ("2", 0),
    "tcp_user_timeout": ("20s", 0),
    "idle_session_timeout": ("20s", 0),
}
KEPT_EVERY_S = 5.0
COMMAND_S = 10.0  # after which nobody answers any more: the server itself ends a statement long before
HELD = 256  # statements that a session of the pool holds prepared: the hot ones of any service

NOT_BUILT_IN = 10_000  # from here on ids of types may differ between servers
_BUILT_IN: dict[frozenset[int], Any] = {}


class UnsuitableDatabase(Exception):
    """A service cannot work with this database. The message says why and what to do."""


class Backend(NamedTuple):
    """The server's process of a session. Process ids are used again, so the start belongs to it."""

    pid: int
    start: datetime


class _NotAsked(NamedTuple):
    """In place of the statement that would have asked. One with a name has displaced no other."""

    name: str


class Session(asyncpg.Connection):  # type: ignore[misc]  # not typed
    """A connection that knows its process, and the types that every server has.

    One of the pool's holds the statements of `rows` prepared, lives `until` a monotonic second, and knows its
    `siblings`, who held theirs prepared at the same time. `limits` end what the server does not answer.
    """

    backend: Backend
    until: float
    limits: Timeouts

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.siblings: Callable[[], Sequence[Session]] = lambda: [self]

    async def rows(self, sql: str, args: Sequence[Any]) -> list[Any]:
        """As `fetch`, for a statement that is prepared once: without what others need each time."""
        held = self._stmt_cache.get((sql, asyncpg.Record, False))
        found: list[Any]
        try:
            if held is not None:
                self._check_open()
                with self.limits.limit(COMMAND_S), self._stmt_exclusive_section:
                    found = await self._protocol.bind_execute(held, args, "", 0, False, NO_TIMEOUT)
                return found
        except asyncpg.OutdatedSchemaCacheError:
            await self.reload_schema_state()
            raise
        except asyncpg.InvalidCachedStatementError:
            self._drop_global_statement_cache()
            if self.is_in_transaction():
                raise
        found = await self.fetch(sql, *args)
        return found

    def is_clean(self) -> bool:
        """Whether nothing is left of its last use: no query that is being cancelled, no transaction."""
        return not (self._protocol._is_cancelling() or self._protocol.is_in_transaction())

    async def tidy(self) -> None:
        """See that nothing is left. Raises what the driver does."""
        await self._protocol._wait_for_cancellation()
        if self.is_in_transaction():
            await self.execute("ROLLBACK")

    def _drop_global_statement_cache(self) -> None:
        for each in self.siblings():
            each._drop_local_statement_cache()

    def _drop_global_type_cache(self) -> None:
        for each in self.siblings():
            each._drop_local_type_cache()

    async def _introspect_types(self, typeoids: Sequence[int], *how: Any) -> Any:
        """What the driver wants to know of types that a statement uses: of built-in ones told once for all.

        It asks for arrays even of these anew in each session, which costs the server more than to begin it.
        """
        asked = frozenset(typeoids)
        if asked not in _BUILT_IN:
            types, statement = await super()._introspect_types(typeoids, *how)
            if max(asked) < NOT_BUILT_IN:
                _BUILT_IN[asked] = types
            return types, statement
        return _BUILT_IN[asked], _NotAsked("nothing")


async def connected(url: str, tls_dir: Path | None, **options: Any) -> Any:
    """Connect to a URL, with TLS by the certificates of a folder, if one is given.

    Raises what `asyncpg.connect` does, and OSError for a folder without certificates.
    """
    secure = {"ssl": tls.context(tls_dir)} if tls_dir else {}
    return await asyncpg.connect(url, **secure, **options)


async def prepare(session: Session) -> None:
    """Make a session of the pool ready: guards, and columns of type JSONB that hold plain Python values."""
    await guard(session, GUARDS)
    # On the wire a version byte precedes the JSON text.
    await session.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


async def guard(session: Session, settings: dict[str, tuple[str, int]]) -> None:
    """Set what the server's version knows, and note the process. UnsuitableDatabase when it is too old.

    Not in the startup packet: an older server refuses a setting that it does not know, a pooler all of them.
    """
    version = session.get_server_version().major
    if version < OLDEST:
        raise UnsuitableDatabase(f"the database is PostgreSQL {version}; at least {OLDEST} is needed")
    known = [(name, value) for name, (value, since) in settings.items() if version >= since]
    set_each = "".join(f", set_config('{name}', '{value}', false)" for name, value in known)
    row = await session.fetchrow(
        f"SELECT pid, backend_start{set_each} FROM pg_stat_get_activity(pg_backend_pid())"  # noqa: S608
    )
    session.backend = Backend(row["pid"], row["backend_start"])


@contextlib.asynccontextmanager
async def kept(session: Session) -> AsyncIterator[None]:
    """Keep a session that holds locks, while its owner is busy with something else, however long that takes.

    Use the session for nothing else meanwhile. That it is lost is left for its next use to find.
    """
    over = asyncio.Event()
    using = asyncio.create_task(_use(session, over))
    try:
        yield
    finally:
        over.set()
        await asyncio.wait({using})


async def _use(session: Session, over: asyncio.Event) -> None:
    while not await woken(over, KEPT_EVERY_S):
        try:
            await session.execute("SELECT 1")
        except DRIVER_ERRORS:
            return


async def refuse_shared(first: Any, second: Any) -> None:
    """UnsuitableDatabase when a pooler lends one process to several sessions: locks would stray."""
    pids = [await session.fetchval("SELECT pg_backend_pid()") for session in (first, second)]
    if pids != [first.backend.pid, second.backend.pid] or len(set(pids)) == 1:
        raise UnsuitableDatabase(
            "the database is behind a pooler that shares sessions; PgBouncer needs pool_mode = session"
        )
