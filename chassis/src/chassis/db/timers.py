"""Durable timers: work for later, done once, in the same transaction that forgets the timer."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from chassis import ids
from chassis.context import Call, Principal, current_call
from chassis.db.database import Database
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.events.failure import Verdict, judge
from chassis.telemetry import tracing

POLL_S = 0.2
RETRY_MAX_S = 300.0
AT_ONCE = 4  # of the pool's connections, so that a flood of timers leaves some for requests
CLAIM = 64
CLOCK = Principal("clock")

_log = structlog.get_logger()


@dataclass(slots=True)
class Timer:
    """A timer that is due.

    Attributes:
        id: the cause of the facts that its handler records.
        kind: which handler.
        key: what it is about, as given to `Transaction.schedule`.
        due_at: when it was to fire.
        attempts: how often its handler has failed.
        correlation_id: the flow that scheduled it.
        causation_id: the event or request that scheduled it.
        traceparent: the trace that scheduled it.

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

_DUE = Statement(
    sa.select(TIMERS)
    .where(
        TIMERS.c.due_at <= sa.bindparam("now"),
        TIMERS.c.kind == sa.any_(sa.bindparam("kinds", type_=sa.ARRAY(sa.Text))),
    )
    .order_by(TIMERS.c.due_at)
    .limit(CLAIM),
    row=Timer,
)
_MINE = (
    sa.select(TIMERS.c.id)
    .where(TIMERS.c.id == sa.bindparam("id"), TIMERS.c.due_at <= sa.bindparam("now"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKE = Statement[Any](sa.delete(TIMERS).where(TIMERS.c.id == _MINE).returning(TIMERS.c.id))
_RETRY = Statement[Any](
    sa.update(TIMERS)
    .where(TIMERS.c.id == sa.bindparam("timer"))
    .values(attempts=TIMERS.c.attempts + 1, due_at=sa.bindparam("at"))
)


class TimerRunner:
    """Fires what is due. Any number of replicas may run one: a timer fires in exactly one of them."""

    def __init__(self, db: Database, handlers: Mapping[str, TimerHandler]) -> None:
        self._db = db
        self._handlers = handlers
        self._wake = asyncio.Event()
        db.scheduled = self._scheduled

    async def run(self) -> None:
        """Fire timers until cancelled."""
        while True:
            try:
                found = await self.fire()
            except Exception as error:
                _log.warning("timers cannot be read", error=type(error).__name__)
                found = 0
            if found < CLAIM:
                await self._pause(POLL_S if found == 0 else 0)

    async def fire(self) -> int:
        """Fire what is due now, each in its own transaction. Returns how many were found due."""
        due = await _DUE.all(self._db, now=self._db.clock.now(), kinds=list(self._handlers))
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(timer: Timer) -> None:
            async with limit:
                await self._fire(timer)

        await asyncio.gather(*(one(timer) for timer in due))
        return len(due)

    async def _fire(self, timer: Timer) -> None:
        age_s = (self._db.clock.now() - ids.moment(timer.id)).total_seconds()
        with tracing.timer_span(timer.kind, timer.traceparent, age_s):
            trace = tracing.traceparent() or tracing.admit(timer.traceparent)[0]
            call = Call(
                timer.kind, CLOCK, cause_id=timer.id, correlation_id=timer.correlation_id, traceparent=trace
            )
            token = current_call.set(call)
            try:
                async with self._db.transaction() as tx:
                    if await _TAKE.maybe(tx, id=timer.id, now=tx.now):
                        await self._handlers[timer.kind](tx, timer)
            except Exception as error:
                await self._failed(timer, error)
            finally:
                current_call.reset(token)

    async def _failed(self, timer: Timer, error: Exception) -> None:
        wait_s = min(2.0**timer.attempts, RETRY_MAX_S) * random.uniform(0.8, 1.2)  # noqa: S311
        passing = judge(error) in (Verdict.RETRY, Verdict.DOWN)  # a lock held elsewhere, an outage: no news
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
        await _RETRY.run(self._db, timer=timer.id, at=self._db.clock.now() + timedelta(seconds=wait_s))

    def _scheduled(self, due_at: datetime) -> None:
        if due_at <= self._db.clock.now() + timedelta(seconds=POLL_S):
            self._wake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
