"""Publishing what the outbox holds: at once after a commit, in order for each resource, until all is out.

Relays share its sixteen shards evenly, each held by a lock of the session that publishes it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg
import nats.errors
import sqlalchemy as sa
import structlog
from nats.aio.msg import Msg

from chassis import failpoints
from chassis.backoff import Backoff
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.schema import OUTBOX, SHARDS, STREAM
from chassis.db.session import Session, kept
from chassis.db.statement import Statement
from chassis.db.tables import among, rows_of
from chassis.events.declarations import stream_of
from chassis.events.nats import Connection
from chassis.outbox.publisher import Outcome, Publisher
from chassis.telemetry import tracing
from chassis.timeouts import woken

BATCH = 500
BATCH_PER_SHARD = 64
BALANCE_EVERY_S = 2.0
POLL_BUSY_S = 0.1
POLL_IDLE_S = 1.0
RETRIES = Backoff(0.1, 5.0, by_chance=0.2)
REFUSED_PAUSE_S = 5.0

_CLASS = 0x6F757462  # "outb"
_MEMBER = SHARDS  # every relay holds this lock, shared, so that they can be counted
_MEMBERS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_TAKEN = """
    SELECT coalesce(array_agg(shard), '{}') FROM unnest($2::int[]) AS shard
    WHERE pg_try_advisory_lock($1::int, shard)
"""

_log = structlog.get_logger()

_COLUMNS = [column for column in OUTBOX.c if column.name != "published_at"]
_HELD = rows_of("held", shards=sa.SmallInteger())
_PER_SHARD = (
    sa.select(*_COLUMNS)
    .where(
        OUTBOX.c.shard == _HELD.c.shards,
        OUTBOX.c.published_at.is_(None),
        OUTBOX.c.resource != sa.all_(sa.bindparam("refused", type_=sa.ARRAY(sa.Text))),
    )
    .order_by(OUTBOX.c.id)
    .limit(BATCH_PER_SHARD)
    .lateral("unpublished")
)
# With the end of the stream as it was known before any of it is published.
_KNOWN = sa.select(STREAM.c.last_sequence).where(STREAM.c.name == sa.bindparam("stream")).scalar_subquery()
_BATCH = Statement[Any](
    sa.select(_PER_SHARD, _KNOWN.label("known"))
    .select_from(_HELD.join(_PER_SHARD, sa.true()))
    .order_by(_PER_SHARD.c.id)
    .limit(BATCH)
)
_MARK = Statement[Any](
    sa.update(OUTBOX)
    .where(
        among(OUTBOX.c.id, "ids"),
        OUTBOX.c.id.between(sa.bindparam("first"), sa.bindparam("last")),  # which partitions
    )
    .values(published_at=sa.bindparam("at"))
)
_WHOLE_UNTIL = Statement[Any](
    sa.update(STREAM)
    .where(STREAM.c.name == sa.bindparam("stream"))
    .values(whole_until=sa.func.least(STREAM.c.whole_until, sa.bindparam("last", type_=sa.BigInteger)))
)


class Shards:
    """The shards that one connection holds. They end with the connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.held: list[int] = []

    async def join(self) -> None:
        """Be counted as a relay."""
        await self._connection.execute("SELECT pg_advisory_lock_shared($1::int, $2::int)", _CLASS, _MEMBER)

    async def balance(self) -> None:
        """Take free shards up to an even share, give up what is beyond. Call it with nothing in flight."""
        members = await self._connection.fetchval(_MEMBERS, _CLASS, _MEMBER)
        share = -(-SHARDS // members)
        while len(self.held) > share:
            await self._connection.execute(
                "SELECT pg_advisory_unlock($1::int, $2::int)", _CLASS, self.held.pop()
            )
        others = [shard for shard in range(SHARDS) if shard not in self.held]
        while others and len(self.held) < share:
            room = share - len(self.held)
            tried, others = others[:room], others[room:]
            self.held += await self._connection.fetchval(_TAKEN, _CLASS, tried)


class Relay:
    """Runs in every replica; the replicas share the outbox by shard."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._stream = stream_of(db.service)
        self._client = connection.client
        self._publisher = Publisher(connection, db.service)
        self._poke_subject = f"poke.{db.service}"
        self._wake = asyncio.Event()
        self._poke = False
        self._refused: dict[str, float] = {}
        self._failures = 0  # in a row
        db.on_facts = self._recorded

    async def run(self) -> None:
        await self._client.subscribe(self._poke_subject, cb=self._poked)
        while True:
            try:
                session = await self._db.dedicated()
                try:
                    await self._session(session)
                finally:
                    await session.close(timeout=2)
            except DATABASE_ERRORS as error:
                _log.warning("the relay lost its database session", error=repr(error))
                await asyncio.sleep(random.uniform(0.5, 1))  # noqa: S311

    async def _session(self, session: Session) -> None:
        """Publish as long as the session, and with it the shards, lasts."""
        shards = Shards(session)
        await shards.join()
        balanced = 0.0
        while True:
            if time.monotonic() - balanced > BALANCE_EVERY_S:
                await shards.balance()
                balanced = time.monotonic()
            self._wake.clear()
            await self._poke_others(shards.held)
            rows = await self._unpublished(session, shards.held)
            if rows:
                await self._publish(session, rows)
            if self._failures or not _is_full(rows):
                await self._pause(POLL_BUSY_S if rows else POLL_IDLE_S)

    async def _unpublished(self, session: asyncpg.Connection, shards: list[int]) -> list[Any]:
        now = time.monotonic()
        self._refused = {resource: until for resource, until in self._refused.items() if until > now}
        params = {"shards": shards, "refused": list(self._refused), "stream": self._stream}
        return list(await session.fetch(_BATCH.sql, *_BATCH.arguments(params)))

    async def _publish(self, session: Session, rows: Sequence[Any]) -> None:
        with tracing.publish_span(self._db.service, [row["traceparent"] for row in rows]):
            async with kept(session):  # else a slow batch would cost the shards, and be published for ever
                outcome = await self._publisher.publish(rows)
        failpoints.hit("relay.after_publish")
        # Given away before: what had it is lost, and the stream grows over it.
        if 0 < outcome.first <= (rows[0]["known"] or 0):
            whole = {"stream": self._stream, "last": outcome.first - 1}
            await session.execute(_WHOLE_UNTIL.sql, *_WHOLE_UNTIL.arguments(whole))
        if ids := outcome.published:
            marked = {"ids": ids, "first": min(ids), "last": max(ids), "at": self._db.clock.now()}
            await session.execute(_MARK.sql, *_MARK.arguments(marked))
        self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        until = time.monotonic() + REFUSED_PAUSE_S
        self._refused |= dict.fromkeys(outcome.refused, until)
        if outcome.unreachable and not self._failures:
            _log.warning("the broker does not take events; the outbox keeps them")
        self._failures = self._failures + 1 if outcome.unreachable else 0

    async def _pause(self, seconds: float) -> None:
        """Wait for a commit, a poke, or the time; after a failure for the time alone."""
        if self._failures:
            await asyncio.sleep(RETRIES.wait(self._failures))
        else:
            await woken(self._wake, seconds * random.uniform(0.8, 1.2))  # noqa: S311

    def _recorded(self) -> None:
        self._poke = True
        self._wake.set()

    async def _poked(self, _: Msg) -> None:
        self._wake.set()

    async def _poke_others(self, held: list[int]) -> None:
        """Tell the other replicas that there may be something for them; once for all commits so far."""
        if self._poke and len(held) < SHARDS:
            try:
                await self._client.publish(self._poke_subject, b"")
            except nats.errors.Error as error:
                _log.debug("not sent", subject=self._poke_subject, error=type(error).__name__)
        self._poke = False


def _is_full(rows: Sequence[Any]) -> bool:
    """Whether a limit cut the batch short, so that there may be more to publish at once."""
    return len(rows) == BATCH or BATCH_PER_SHARD in Counter(row["shard"] for row in rows).values()
