"""Durable timers: work for later, done once, in the same transaction that forgets the timer."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from chassis import backoff, ids
from chassis.context import CLOCK, Call, current_call, service_itself
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from chassis.db.tables import among, rows_of
from chassis.db.transaction import Transaction
from chassis.judgement import is_transient
from chassis.telemetry import metrics, tracing
from chassis.timeouts import woken

POLL_S = 0.2
AT_ONCE = 4  # so that a flood of timers leaves events some of `Database.background`
CLAIM = 64  # read at a time
PASSED_MAX = 1024  # other hands hold fewer at a time

_log = structlog.get_logger()


@dataclass(slots=True)
class Timer:
    """A timer that is due. Its id is the cause of the facts that its handler records.

    Flow, cause and trace are those that scheduled it; the attempts are how often its handler has failed.
    """

    id: UUID
    kind: str
    key: str
    due_at: datetime
    attempts: int
    correlation_id: str
    causation_id: UUID
    traceparent: str


TimerHandler = Callable[[Transaction, Timer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Together:
    """A handler of many timers of one kind in one transaction, each with the call that it is handled as.

    `handle` says on whose behalf it records what: `tx.act(call)`. When it fails each is handled alone.
    """

    handle: Callable[[Transaction, Sequence[tuple[Timer, Call]]], Awaitable[None]]


_DUE = Statement(
    sa.select(TIMERS)
    .where(
        TIMERS.c.due_at <= sa.bindparam("now"),
        among(TIMERS.c.kind, "kinds"),
        TIMERS.c.id != sa.all_(sa.bindparam("passed", type_=sa.ARRAY(sa.Uuid))),
    )
    .order_by(TIMERS.c.due_at)
    .limit(CLAIM),
    row=Timer,
)
# Claimed by a lock that stands for the timer, not by its row. A handler takes the rows that it works on first
# and the timer's last, in the order of everybody who schedules and cancels; the other order would deadlock.
_CLAIM = Statement[Any](
    sa.select(TIMERS.c.id).where(
        TIMERS.c.id == sa.bindparam("id"),
        TIMERS.c.due_at <= sa.bindparam("now"),
        sa.func.pg_try_advisory_xact_lock(sa.bindparam("lock", type_=sa.BigInteger)),
    )
)
_ASKED = rows_of("asked", id=sa.Uuid, lock=sa.BigInteger)
_CLAIM_MANY = Statement[Any](
    sa.select(TIMERS.c.id)
    .join_from(_ASKED, TIMERS, TIMERS.c.id == _ASKED.c.id)
    .where(TIMERS.c.due_at <= sa.bindparam("now"), sa.func.pg_try_advisory_xact_lock(_ASKED.c.lock))
)
_DONE = Statement[Any](sa.delete(TIMERS).where(among(TIMERS.c.id, "ids")).returning(TIMERS.c.id))
_RETRY = Statement[Any](
    sa.update(TIMERS)
    .where(TIMERS.c.id == sa.bindparam("timer"))
    .values(attempts=TIMERS.c.attempts + 1, due_at=sa.bindparam("at"))
)


class _NotOurs(Exception):
    """Somebody else fires, fired, cancelled or moved the timer: roll back, nothing happened here."""


class TimerRunner:
    """Fires what is due. Any number of replicas may run one: a timer fires in exactly one of them."""

    def __init__(self, db: Database, handlers: Mapping[str, TimerHandler | Together]) -> None:
        self._db = db
        self._handlers = handlers
        self._room = asyncio.Semaphore(AT_ONCE)
        self._due: deque[Timer] = deque()
        self._in_hand: set[UUID] = set()
        self._passed: deque[UUID] = deque(maxlen=PASSED_MAX)  # in other hands, or failed, a moment ago
        self._clock = service_itself(db.service, CLOCK)
        self._wake = asyncio.Event()
        db.on_timer = self._scheduled

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._feed(group)
                await self._pause()

    async def fire(self) -> None:
        """Fire what is due now, each in its own transaction."""
        async with asyncio.TaskGroup() as group:
            await self._feed(group)

    async def _feed(self, group: asyncio.TaskGroup) -> None:
        """Start one after the other, as there is room, until nothing more is due."""
        self._passed.clear()
        while True:
            await self._room.acquire()
            timer = await self._next()
            if timer is None:
                self._room.release()
                return
            timers = [timer, *self._alike(timer)]
            self._in_hand.update(each.id for each in timers)
            group.create_task(self._see_to(timers))

    async def _next(self) -> Timer | None:
        if not self._due:
            kinds, passed = list(self._handlers), [*self._in_hand, *self._passed]
            try:
                self._due.extend(
                    await _DUE.all(self._db, now=self._db.clock.now(), kinds=kinds, passed=passed)
                )
            except DATABASE_ERRORS as error:
                _log.warning("timers cannot be read", error=type(error).__name__)
        return self._due.popleft() if self._due else None

    def _alike(self, timer: Timer) -> list[Timer]:
        """Those of its kind that are due next, where they are handled together."""
        together = []
        if isinstance(self._handlers[timer.kind], Together):
            while self._due and self._due[0].kind == timer.kind:
                together.append(self._due.popleft())
        return together

    async def _see_to(self, timers: Sequence[Timer]) -> None:
        try:
            if len(timers) == 1 or not await self._all_done(timers):
                for timer in timers:
                    await self._see_to_one(timer)
        finally:
            self._in_hand.difference_update(each.id for each in timers)
            self._room.release()

    async def _all_done(self, timers: Sequence[Timer]) -> bool:
        """Handle timers together. False when they are to be handled one by one, for a fault of one or all."""
        try:
            await self._fire_together(timers)
        except _NotOurs:  # what is left of them is read again
            return True
        except Exception as error:
            _log.warning("timers are handled one by one", kind=timers[0].kind, error=type(error).__name__)
            return False
        return True

    async def _see_to_one(self, timer: Timer) -> None:
        try:
            await self._fire(timer)
            metrics.TIMER_RUNS.labels(timer.kind, "done").inc()
        except _NotOurs:
            self._passed.append(timer.id)
        except Exception as error:
            self._passed.append(timer.id)
            metrics.TIMER_RUNS.labels(timer.kind, "failed").inc()
            await self._failed(timer, error)

    async def _fire(self, timer: Timer) -> None:
        handler = self._handlers[timer.kind]
        with tracing.timer_span(timer.kind, timer.traceparent, self._age_s(timer)):
            call = self._call(timer, tracing.carried(timer.traceparent))
            current_call.set(call)
            async with self._db.background, self._db.transaction() as tx:
                if await _CLAIM.maybe(tx, id=timer.id, now=tx.now, lock=_lock_of(timer)) is None:
                    raise _NotOurs
                if isinstance(handler, Together):
                    await handler.handle(tx, [(timer, call)])
                else:
                    await handler(tx, timer)
                if await _DONE.maybe(tx, ids=[timer.id]) is None:
                    raise _NotOurs

    async def _fire_together(self, timers: Sequence[Timer]) -> None:
        """Those that nobody else has at hand. None when one was cancelled or moved meanwhile: `_NotOurs`."""
        handler, first = self._handlers[timers[0].kind], timers[0]
        assert isinstance(handler, Together)
        with tracing.timer_span(first.kind, first.traceparent, self._age_s(first)):
            calls = {each.id: self._call(each, each.traceparent) for each in timers}
            current_call.set(calls[first.id])
            async with self._db.background, self._db.transaction() as tx:
                locks = [_lock_of(each) for each in timers]
                rows = await _CLAIM_MANY.all(tx, id=[each.id for each in timers], lock=locks, now=tx.now)
                claimed = {row["id"] for row in rows}
                self._passed.extend(each.id for each in timers if each.id not in claimed)
                if not claimed:
                    raise _NotOurs
                ours = [each for each in timers if each.id in claimed]
                if first.id not in claimed:
                    tx.forget(calls[first.id])
                tx.act(calls[ours[0].id])
                await handler.handle(tx, [(each, calls[each.id]) for each in ours])
                done = {row["id"] for row in await _DONE.all(tx, ids=list(claimed))}
                self._passed.extend(claimed - done)
                if done != claimed:
                    raise _NotOurs
        metrics.TIMER_RUNS.labels(first.kind, "done").inc(len(claimed))

    def _call(self, timer: Timer, traceparent: str) -> Call:
        return Call(
            timer.kind,
            self._clock,
            cause_id=timer.id,
            correlation_id=timer.correlation_id,
            traceparent=traceparent,
        )

    def _age_s(self, timer: Timer) -> float:
        return (self._db.clock.now() - ids.moment(timer.id)).total_seconds()

    async def _failed(self, timer: Timer, error: Exception) -> None:
        wait_s = backoff.RETRIES.wait(timer.attempts + 1)
        passing = is_transient(error)
        _log.log(
            logging.WARNING if passing else logging.ERROR,
            "a timer is tried again later",
            kind=timer.kind,
            key=timer.key,
            attempts=timer.attempts + 1,
            retry_s=round(wait_s),
            error=type(error).__name__,
            exc_info=None if passing else error,
        )
        try:
            await _RETRY.run(self._db, timer=timer.id, at=self._db.clock.now() + timedelta(seconds=wait_s))
        except Exception as failure:  # then it is still due, and the others go on
            _log.warning("a timer could not be put off", kind=timer.kind, error=type(failure).__name__)

    def _scheduled(self, due_at: datetime) -> None:
        if due_at <= self._db.clock.now() + timedelta(seconds=POLL_S):
            self._wake.set()

    async def _pause(self) -> None:
        await woken(self._wake, POLL_S)
        self._wake.clear()


def _lock_of(timer: Timer) -> int:
    """What stands for a timer where it is claimed."""
    return timer.id.int & (1 << 63) - 1
