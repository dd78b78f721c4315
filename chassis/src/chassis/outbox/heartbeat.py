"""A service's heartbeat: up to when all that it committed is published, and whether its stream still has it.

    beat.<service>   every 2 seconds from every replica, as JSON: `Beat`

A stream that was made anew, that ends before what it once acknowledged, or that gives a sequence away again,
has lost events. Then this service warns and sends no beat until it has published again what its outbox
holds (14 days); of a stream that still has its beginning, what was published after the last before the loss.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import nats.errors
import nats.js.errors
import sqlalchemy as sa
import structlog
from nats.js.api import StreamInfo
from sqlalchemy.dialects.postgresql import insert

from chassis import ids
from chassis.db.aliases import LAST_SEQUENCE
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.schema import OUTBOX, OUTBOX_DAYS, SHARDS, STREAM
from chassis.db.session import kept
from chassis.db.statement import Statement
from chassis.events.broadcast import Beat
from chassis.events.declarations import stream_of
from chassis.events.nats import Connection
from chassis.events.provision import MARKER
from chassis.outbox.publisher import republish
from chassis.telemetry import metrics

BEAT_EVERY_S = 2.0
DEPTH_MAX = 100_000
# A batch is noted as published when all of it is, minutes later perhaps, by the clocks of several replicas.
MARGIN = timedelta(minutes=10)
_LOCK = 0x6C6F7374  # "lost"

_log = structlog.get_logger()

_WAITING = sa.select(OUTBOX.c.id).where(OUTBOX.c.published_at.is_(None)).limit(DEPTH_MAX).subquery()
_SHARD = (
    sa.func.generate_series(sa.literal_column("0"), sa.literal_column(str(SHARDS - 1)))
    .table_valued(sa.column("shard", sa.Integer), name="held")
    .render_derived()
)
# The first of each shard: what the index on (shard, id) answers at once, however many wait. But for those
# that say the day alone (`Transaction.act`): of them nobody knows since when they wait.
_FIRST = (
    sa.select(OUTBOX.c.id, OUTBOX.c.time)
    .where(
        OUTBOX.c.shard == _SHARD.c.shard,
        OUTBOX.c.published_at.is_(None),
        OUTBOX.c.time != sa.func.date_trunc("day", OUTBOX.c.time, "UTC"),
    )
    .order_by(OUTBOX.c.id)
    .limit(sa.literal_column("1"))
    .lateral("first")
)
_FIRSTS = Statement[Any](
    sa.select(_FIRST.c.id, _FIRST.c.time).select_from(sa.join(_SHARD, _FIRST, sa.true()))
)
_COUNT = Statement[Any](sa.select(sa.func.count().label("depth")).select_from(_WAITING))
_KNOWN = Statement[Any](sa.select(STREAM).where(STREAM.c.name == sa.bindparam("name")))
_row = insert(STREAM).values({name: sa.bindparam(name) for name in ("name", "identity", "last_sequence")})
# Of two replicas the slower one may have asked earlier.
_SEEN = Statement[None](
    _row.on_conflict_do_update(
        index_elements=["name"],
        set_={"last_sequence": sa.func.greatest(STREAM.c.last_sequence, _row.excluded.last_sequence)},
        where=STREAM.c.identity == _row.excluded.identity,
    )
)
_MENDED = Statement[None](
    sa.update(STREAM)
    .where(STREAM.c.name == sa.bindparam("stream"))
    .values({name: sa.bindparam(name) for name in ("identity", "last_sequence")} | {"whole_until": sa.null()})
)
_PUBLISHED = Statement[Any](sa.select(OUTBOX.c.published_at).where(OUTBOX.c.id == sa.bindparam("event_id")))


async def unpublished(db: Database) -> tuple[int, datetime | None]:
    """How many facts are not published yet, as far as 100,000, and since when the oldest waits."""
    # Ids never go back, so after a step of the clock they lie ahead of the time.
    firsts = [min(ids.moment(row["id"]), row["time"]) for row in await _FIRSTS.all(db)]
    return ((await _COUNT.one(db))["depth"], min(firsts)) if firsts else (0, None)


class Heartbeat:
    """Runs in every replica."""

    def __init__(self, db: Database, connection: Connection, keeps_aliases: bool = False) -> None:
        """`keeps_aliases`: whether the service projects which names are of one customer."""
        self.problem = ""  # what keeps readers from getting what this service tells, in words
        self._db = db
        self._connection = connection
        self._keeps_aliases = keeps_aliases
        self._stream = stream_of(db.service)
        self._short = False  # whether the stream ended too early when it was last looked at

    async def run(self) -> None:
        last = ""  # of an outage each error is said once
        while True:
            error = ""
            try:
                await self._beat()
            except nats.js.errors.NotFoundError:
                self._tell(f"the broker has no stream {self._stream}: provision it again")
            except (*DATABASE_ERRORS, nats.errors.Error) as caught:
                error = type(caught).__name__
                if error != last:
                    _log.warning("no heartbeat", error=error)
            last = error
            await asyncio.sleep(BEAT_EVERY_S)

    async def _beat(self) -> None:
        """Say up to when everything is published, and how far the stream reaches then.

        In this order: what is published when the outbox is read, and what any replica has seen of the stream,
        is in the stream when that is asked.
        """
        known = await _KNOWN.maybe(self._db, name=self._stream)
        now = self._db.clock.now()
        depth, oldest = await unpublished(self._db)
        lag_s = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        metrics.OUTBOX_UNPUBLISHED.set(depth)  # before the broker is asked, whose silence they tell
        metrics.OUTBOX_OLDEST.set(lag_s)
        aliases = (await LAST_SEQUENCE.one(self._db))["sequence"] or 0 if self._keeps_aliases else None
        sent_at = time.time()
        info = await self._connection.js.stream_info(self._stream)
        if await self._is_whole(known, info):
            self._tell("")
            beat = Beat(depth, lag_s, info.state.last_seq, sent_at, aliases)
            await self._connection.client.publish(f"beat.{self._db.service}", msgspec.json.encode(beat))

    async def _is_whole(self, known: Any, info: StreamInfo) -> bool:
        """Whether the stream has all that it took, as far as one can know; if not, mends it."""
        identity, last = _identity(info), info.state.last_seq
        is_short = known is not None and known["identity"] == identity and last < known["last_sequence"]
        # A new leader of the stream may need a moment to know all that the old one has acknowledged.
        was_short, self._short = self._short, is_short
        if is_short and not was_short:
            return False
        if not _has_lost(known, info):
            if known is None or known["last_sequence"] != last:
                await _SEEN.run(self._db, name=self._stream, identity=identity, last_sequence=last)
            return True
        self._tell(f"the broker lost events of the stream {self._stream}: they are published again")
        await self._mend()
        return False  # the next look is at the mended stream

    async def _mend(self) -> None:
        """Publish what the stream has lost, in one replica. Unavailable when the broker does not take it."""
        session = await self._db.dedicated()  # the lock ends with it
        try:
            if not await session.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                return
            async with kept(session):
                await self._publish_again()
        finally:
            await session.close(timeout=2)

    async def _publish_again(self) -> None:
        known = await _KNOWN.one(self._db, name=self._stream)
        info = await self._connection.js.stream_info(self._stream)
        if not _has_lost(known, info):  # another replica was quicker
            return
        now, since = self._db.clock.now(), None
        if known["identity"] == _identity(info):  # it has the rest, and would be filled with it once more
            since = await self._last_published(known["whole_until"], info.state.last_seq)
        begin, end = now - timedelta(days=OUTBOX_DAYS + 1), now + timedelta(days=1)
        count = await republish(self._db, self._connection, begin, end, since)
        mended = await self._connection.js.stream_info(self._stream)
        if _identity(mended) != _identity(info) or mended.state.last_seq < info.state.last_seq:
            return  # lost once more meanwhile, with some of what was published again
        await _MENDED.run(
            self._db, stream=self._stream, identity=_identity(mended), last_sequence=mended.state.last_seq
        )
        _log.warning("events that the broker lost are published again", stream=self._stream, events=count)

    async def _last_published(self, whole_until: int | None, end: int) -> datetime | None:
        """When the last event before those lost was published, or a little before; None when unknown."""
        sequence = end if whole_until is None else min(whole_until, end)
        if sequence < 1:
            return None
        try:
            last = await self._connection.js.get_msg(self._stream, seq=sequence)
            row = await _PUBLISHED.maybe(self._db, event_id=UUID((last.headers or {})["ce-id"]))
        except (nats.js.errors.NotFoundError, KeyError, ValueError):
            return None
        return None if row is None else (row["published_at"] or self._db.clock.now()) - MARGIN

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            _log.error("events do not reach their readers", problem=problem)
        self.problem = problem
        metrics.STREAM_LOST.set(bool(problem))


def _has_lost(known: Any, info: StreamInfo) -> bool:
    """Whether a stream is another one than what is known, ends before it did, or has grown again since."""
    return known is not None and bool(
        known["identity"] != _identity(info)
        or info.state.last_seq < known["last_sequence"]
        or known["whole_until"] is not None
    )


def _identity(info: StreamInfo) -> str:
    """What a stream that is made anew under the same name does not share with this one."""
    marker = (info.config.metadata or {}).get(MARKER, "")
    return f"{info.created} {marker}"
