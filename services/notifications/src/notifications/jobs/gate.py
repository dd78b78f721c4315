"""The gate before providers: who is let through to one now, and what becomes known of it there."""

import asyncio
import collections
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import Counter

from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.facts import Decision, Outcome
from chassis.telemetry.metrics import Snapshot
from chassis.work import Ours, Verdict
from chassis.work import Outcome as Ended
from notifications.channels.channel import CONVERSED, Away, Channel, Unwanted
from notifications.domain.notice import Notice
from notifications.domain.provider import (
    KEPT,
    MEASURED,
    PAUSE_MOST,
    PROBE,
    SAID_EVERY,
    SOON,
    Provider,
    State,
)
from notifications.domain.rank import LAST
from notifications.domain.reasons import Reason
from notifications.names import PROVIDER
from notifications.store import providers as store
from notifications.usecases.attempt import NextChannel, Quiet

WAIT_MOST = timedelta(seconds=10)  # for a turn, of what goes first: who would wait longer comes again
PLACES_MOST = 1000  # of those that wait, counted before one
_MOMENT = timedelta(seconds=1)
_OF_OURS = ("stopped", "no-answer")  # what ended a hand-over that says nothing of the provider
NOT_AVAILABLE = Snapshot(
    "rapport_provider_unavailable",
    "Whether a provider takes no messages of ours now, 1, or does, 0. The same in every replica.",
    ("provider",),
)
WAITING = Snapshot(
    "rapport_provider_waiting", "Notices that wait for a provider. The same in every replica.", ("provider",)
)
DEFERRED = Counter(
    "rapport_notices_deferred",
    "How often notices were put off for one: `provider-unavailable`, or `provider-busy` for its rate.",
    ["provider", "reason"],
)


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets messages through to providers.

    Of one provider: at most so many a minute of all replicas, where it has a rate; at most `side_by_side` of
    this process, so that one that hangs leaves room for the others; none while it is not available, but one
    that tries.
    """

    db: Database
    a_minute: Mapping[str, int]  # by provider; absent: no rate
    side_by_side: int
    _inside: collections.Counter[str] = field(default_factory=collections.Counter, init=False)

    async def open(self, channels: Collection[Channel]) -> None:
        """Have a row for the provider of each channel, and none that no process has had for `KEPT`."""
        now = self.db.clock.now()
        rows = [Provider(_id(each), each.code, State.AVAILABLE, now, now) for each in channels]
        await store.ADD_PROVIDERS.rows(self.db, rows)
        had = [row.id for row in rows]
        await store.HAVE_PROVIDERS.run(self.db, ids=had, now=now, before=now - SAID_EVERY)
        await store.FORGET_PROVIDERS.run(self.db, since=now - KEPT)

    async def measure(self, channels: Collection[Channel]) -> None:
        """Have the provider of each channel still; tell how it is with them, and how much waits for each."""
        await self.open(channels)
        had = {_id(each) for each in channels}
        rows = await store.SHOW_PROVIDERS.all(self.db, since=self.db.clock.now() - MEASURED)
        rows = [row for row in rows if row.id in had]
        NOT_AVAILABLE.replace({(row.id,): float(row.state is not State.AVAILABLE) for row in rows})
        WAITING.replace({(row.id,): row.waiting_count for row in rows})

    async def require(self, on: Executor, notice: Notice, channels: Collection[Channel]) -> None:
        """Quiet when no provider of these channels takes it now, or the one it waits for has its rate full.

        Nothing else needs to be asked then.
        """
        now, wanted = self.db.clock.now(), {_id(each) for each in channels}
        rows = [row for row in await store.ALL_PROVIDERS.all(on) if row.id in wanted]
        closed = {row.id: await self._closed(on, row, notice, now) for row in rows}
        own = closed.get(notice.waits_for)
        busy = {notice.waits_for: own} if own and own[0] == Reason.PROVIDER_BUSY else closed
        if busy and all(busy.values()):
            until, code, provider_id = min((each[1], each[0], key) for key, each in busy.items() if each)
            raise _not_yet(code, until, [], provider_id, now)

    @asynccontextmanager
    async def through(
        self, channel: Channel, notice: Notice, decisions: list[Decision]
    ) -> AsyncIterator[None]:
        """Let one message through to the channel's provider, when its turn comes. Quiet when not now."""
        provider_id = _id(channel)
        row = await store.GET_PROVIDER.maybe(self.db, id=provider_id)
        if row is None:  # forgotten by one that does not have it
            await self.open([channel])
            row = await store.GET_PROVIDER.one(self.db, id=provider_id)
        now = self.db.clock.now()
        if closed := await self._closed(self.db, row, notice, now):
            raise _not_yet(*closed, decisions, provider_id, now)
        self._inside[provider_id] += 1
        try:
            await self._admit(row, notice, decisions, now)
            yield
        finally:
            self._inside[provider_id] -= 1

    async def _closed(
        self, on: Executor, row: Provider, notice: Notice, now: datetime
    ) -> tuple[Reason, datetime] | None:
        """Why a provider gets no such message now, and until when; None when it does."""
        if until := row.opens(now):
            return Reason.PROVIDER_AWAY, until
        # Of what waits behind all others one fewer, so that there is room for these.
        if self._inside[row.id] >= max(1, self.side_by_side - (notice.rank == LAST)):
            return Reason.PROVIDER_BUSY, now + SOON
        if self._each(row) and row.free_time and row.free_time > now + patience(notice):
            return Reason.PROVIDER_BUSY, await self._turn_time(on, row, notice, now)
        return None

    async def _admit(self, row: Provider, notice: Notice, decisions: list[Decision], now: datetime) -> None:
        if each := self._each(row):
            turn = await store.TAKE_TURN.maybe(
                self.db, provider=row.id, now=now, each=each, latest=now + patience(notice)
            )
            if turn is None:
                row = await store.GET_PROVIDER.one(self.db, id=row.id)
                until = await self._turn_time(self.db, row, notice, now)
                raise _not_yet(Reason.PROVIDER_BUSY, until, decisions, row.id, now)
            await asyncio.sleep(max(0.0, (turn["free_time"] - each - now).total_seconds()))
        if row.state is not State.AVAILABLE:
            asks = {"provider": row.id, "rank": notice.rank, "notice_id": notice.id}
            times = {"now": now, "later": now - WAIT_MOST, "until": now + PROBE}
            if await store.PROBE_PROVIDER.maybe(self.db, **asks, **times) is None:
                raise _not_yet(Reason.PROVIDER_AWAY, now + SOON, decisions, row.id, now)

    async def _turn_time(self, on: Executor, row: Provider, notice: Notice, now: datetime) -> datetime:
        """When its turn may come in a provider's rate, by how many of those that wait go before it."""
        before = {"provider": row.id, "rank": notice.rank, "notice_id": notice.id, "at_most": PLACES_MOST}
        place: int = (await store.WAITING_BEFORE.one(on, **before))["count"]
        first = max((row.free_time or now) - patience(notice), now + _MOMENT)
        return min(first + self._each(row) * place, now + PAUSE_MOST)

    def _each(self, row: Provider) -> timedelta:
        """For how long each message of a provider stands in its rate; none without one."""
        rate = self.a_minute.get(row.id)
        return timedelta(minutes=1) / rate if rate else timedelta()

    async def note(self, tx: Transaction, channel: Channel, ended: Ended, template_id: str) -> None:
        """What the end of an attempt to say what a template says tells of the channel's provider."""
        met, failed = was_met(ended), has_failed(ended)
        unwanted = isinstance(ended.result, Unwanted)
        if not (met or failed or unwanted):
            return
        row = await store.GET_PROVIDER.maybe(tx, id=_id(channel))
        if row is None or (met and row.faultless):
            return
        row = await store.LOCK_PROVIDER.maybe(tx, id=row.id)
        if row is None:
            return
        if unwanted:
            row.refuse(template_id, ended.code, tx.now)
        elif failed:
            row.fail(ended.code, tx.now, getattr(ended.result, "leave_alone", None))
        else:
            row.take(tx.now)
        await store.UPDATE_PROVIDER.run(tx, **values(row))


def patience(notice: Notice) -> timedelta:
    """How long it waits for its turn at most: what goes first waits longest, so there is room for it."""
    return WAIT_MOST * (1 - notice.rank / 4)


def was_met(ended: Ended) -> bool:
    """Whether the provider took or refused this one message, and so works."""
    refused = ended.verdict is Verdict.REFUSED or isinstance(ended.result, NextChannel)
    return ended.verdict is Verdict.DONE or (refused and getattr(ended.result, CONVERSED, False))


def has_failed(ended: Ended) -> bool:
    """Whether the provider failed, and with no regard to who was written to."""
    if ended.verdict is Verdict.UNKNOWN:
        return ended.code not in _OF_OURS
    return isinstance(ended.result, Away | Ours) and getattr(ended.result, CONVERSED, False)


def _id(channel: Channel) -> str:
    return str(PROVIDER.ids(channel.provider)[0])


def _not_yet(
    why: Reason, until: datetime, decisions: list[Decision], provider_id: str, now: datetime
) -> Quiet:
    DEFERRED.labels(provider_id, why).inc()
    step = Decision("provider", Outcome.DEFERRED, why, {"provider": PROVIDER.format(provider_id)}, now)
    return Quiet(why, until, [*decisions, step], provider_id)
