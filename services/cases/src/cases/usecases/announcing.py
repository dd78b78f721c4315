"""Telling of new promises, and setting the timers by which they are looked at."""

from uuid import UUID

from cases.domain.about import owed
from cases.domain.promise import Promise
from cases.domain.promise_clock import Facts, PromiseClock
from cases.usecases.clock_keeping import keep_promise_clocks
from cases.usecases.deadlines import look_again
from chassis.db.transaction import Transaction

AT_RISK_TIMER = "promise-at-risk"
DUE_TIMER = "promise-due"


async def announce(
    tx: Transaction, clock: PromiseClock, promise: Promise, facts: Facts, caused_by: UUID | None = None
) -> None:
    """Record the facts of a new promise and set its timers. They are ignored when it has ended before."""
    for fact, version in facts:
        caused_by = tx.record(fact, version=version, caused_by=caused_by)
    if promise.live:
        await tx.schedule(AT_RISK_TIMER, str(promise.id), clock.at_risk_at(promise))
        await tx.schedule(DUE_TIMER, str(promise.id), clock.broken_at(promise))
        if promise.work_item_id:
            await look_again(tx, promise.work_item_id)
        if owed(promise):  # else what is new has no clocks, and this no need to ask
            await keep_promise_clocks(tx, promise, caused_by)
