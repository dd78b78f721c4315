"""Keeping, renegotiating, withdrawing and breaking promises, and counting how they end.

What an import tells of the past is not counted: it would look as if it all happened today.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from cases.domain.delay_notification import Channel, DelayNotification, notified
from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_clock import Facts, PromiseClock, compared, team_of
from cases.domain.promise_state import LIVE, PromiseState
from cases.names import AGENT, PROMISE
from cases.store import tables as store
from cases.store.tables import COUNT_LIVE
from cases.usecases.announcing import announce
from cases.usecases.authority import extend
from cases.usecases.clock_keeping import keep_promise_clocks
from cases.usecases.deadlines import look_again
from chassis import ids
from chassis.api import etags
from chassis.api.actors import actor_name
from chassis.api.entities import found, save, write
from chassis.authority import Authority
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, invalid
from chassis.telemetry.metrics import Snapshot
from chassis.work.timers import Timer

OUTCOMES = Counter(
    "rapport_promise_outcomes",
    "What became of promises: kept, kept_late, told_in_time (of a new date), told_late, broken, withdrawn. "
    "What is broken may be told_late or kept_late after that.",
    ["outcome"],
)
for _each in ("kept", "kept_late", "told_in_time", "told_late", "broken", "withdrawn"):
    OUTCOMES.labels(_each)  # told from the start, so that a first one is seen
UNDER_WAY = Snapshot(
    "rapport_promises_live", "Promises that have not ended, by state. The same in every replica.", ("state",)
)


def count_outcome(tx: Transaction, outcome: str) -> None:
    """Count one, if the transaction commits."""
    tx.after_commit(OUTCOMES.labels(outcome).inc)


def outcome_of_kept(promise: Promise) -> str:
    """How a promise was kept."""
    return "kept_late" if promise.state is PromiseState.KEPT_LATE else "kept"


async def count_live(db: Database) -> None:
    """Tell how many promises are under way."""
    found = {row["state"]: row["promises"] for row in await COUNT_LIVE.all(db)}
    UNDER_WAY.replace({(state,): found.get(state, 0) for state in sorted(LIVE)})


async def renegotiate_promise(
    tx: Transaction,
    clock: PromiseClock,
    *,
    promise_id: UUID,
    due_time: datetime | None,
    due_date: date | None,
    reason_code: str,
    customer_requested: bool,
    channel: Channel | None,
    etag: str,
) -> Promise:
    """Replace a promise after a person spoke with the customer. Returns the promise that ended.

    What `extend` finds.

    InvalidArgument INVALID_TIME when the new date is not of the kind that was promised, or is over.
    """
    work_item = await store.LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await _own(tx, promise_id, etag, lent=True)
    due = _new_due(promise, due_time, due_date, tx.now)
    if due.time < promise.due_time or not due.is_ahead(tx.now):
        tx.require_owner(promise)  # nobody promises sooner in another's name
    await _break_when_over(tx, clock, promise)
    put_off = due.time > promise.due_time and not customer_requested
    may = await extend(tx, promise, due) if put_off else Authority()
    successor, renegotiated = promise.renegotiate(
        ids.uuid7(tx.now),
        due,
        tx.now,
        reason_code,
        customer_requested=customer_requested,
        notifier=actor_name(tx.call.principal.subject, tx.db.service),
        channel=channel or "",
    )
    if may.policy:
        name, version = str(may.policy.name), may.policy.version
        renegotiated = replace(renegotiated, authority_policy=name, policy_version=version)
    successor.team_id = team_of(successor, work_item)
    facts: Facts = [(successor.made(), successor.version)]
    if work_item:
        facts += compared(successor, work_item, clock, tx.now)
    count_outcome(tx, "told_late" if promise.state is PromiseState.BROKEN else "told_in_time")
    renegotiated_id = tx.record(renegotiated, version=promise.version)
    await store.INSERT_PROMISE.run(tx, **values(successor))
    await write(tx, store.UPDATE_PROMISE, promise)
    await keep_promise_clocks(tx, promise, renegotiated_id)
    await announce(tx, clock, successor, facts, caused_by=renegotiated_id)
    return promise


async def customer_notified(
    tx: Transaction, clock: PromiseClock, promise_id: UUID, notification: DelayNotification
) -> None:
    """Move a promise to the date that a notice told the customer, as of when they were told: see there."""
    work_item = await store.LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await found(tx, PROMISE, store.LOCK_PROMISE, promise_id)
    was_live = promise.state in LIVE
    told = notified(promise, notification, ids.uuid7(tx.now), clock.broken_at(promise), tx.now)
    if not told:
        return
    in_time = promise.state is PromiseState.RENEGOTIATED
    count_outcome(tx, "told_in_time" if in_time else "told_late")
    if was_live and not in_time:
        count_outcome(tx, "broken")
    successor, cause = told[-1][0], None
    successor.team_id = team_of(successor, work_item)
    for about, version, fact in told:
        cause = tx.record(fact, version=version, caused_by=cause if about is successor else None)
    # A newer forecast may have come in while the customer was told about the one before.
    facts = compared(successor, work_item, clock, tx.now) if work_item else []
    await store.INSERT_PROMISE.run(tx, **values(successor))
    await write(tx, store.UPDATE_PROMISE, promise)
    await keep_promise_clocks(tx, promise, cause, at=notification.notify_time)
    await announce(tx, clock, successor, facts, caused_by=cause)


async def keep_promise(
    tx: Transaction, clock: PromiseClock, *, promise_id: UUID, keep_time: datetime | None, etag: str
) -> Promise:
    """Mark a promise as done, now unless told when; ahead of us is now, by a clock that is.

    What `require_word` refuses.
    """
    promise = await _own(tx, promise_id, etag)
    at = min(keep_time or tx.now, tx.now)
    require_word(tx, clock, promise, at)
    return await kept(tx, promise, at, actor_name(tx.call.principal.subject, tx.db.service))


def require_word(tx: Transaction, clock: PromiseClock, promise: Promise, at: datetime) -> None:
    """Refuse a person's word that one which was broken by now was kept in time (`WORD_TOO_LATE`).

    But for who answers for all departments. What systems say, and what an import keeps account of, happened
    when they say.
    """
    principal = tx.call.principal
    by_person = AGENT.match(actor_name(principal.subject, tx.db.service))
    if not by_person or principal.administers(tx.db.service) or promise.import_key:
        return
    if clock.broken_at(promise) <= tx.now and promise.since <= at and not promise.due.missed_by(at):
        permission = f"{tx.db.service}.departments.administer"
        told = (
            f"{promise.name} was broken before anybody said so: say that it is done now, or ask somebody who"
            f" has {permission} to say that it was done in time."
        )
        raise FailedPrecondition("WORD_TOO_LATE", told, {"resource": promise.name, "permission": permission})


async def kept(tx: Transaction, promise: Promise, at: datetime, keeper: str) -> Promise:
    """A locked promise was done at that moment, as the keeper says."""
    await _save(tx, promise, promise.keep(at, tx.now, keeper))
    count_outcome(tx, outcome_of_kept(promise))
    if promise.work_item_id:
        await look_again(tx, promise.work_item_id)
    return promise


async def withdraw_promise(
    tx: Transaction, clock: PromiseClock, *, promise_id: UUID, reason_code: str, etag: str
) -> Promise:
    """Take a promise back."""
    promise = await _own(tx, promise_id, etag, lent=True)
    await _break_when_over(tx, clock, promise)
    await _save(tx, promise, promise.withdraw(reason_code, tx.now))
    count_outcome(tx, "withdrawn")
    if promise.work_item_id:
        await look_again(tx, promise.work_item_id)
    return promise


async def record_delay_notification(
    tx: Transaction, clock: PromiseClock, *, promise_id: UUID, channel: Channel, etag: str
) -> Promise:
    """A person told the customer that a promise will not be kept in time, now: nobody backdates."""
    promise = await _own(tx, promise_id, etag, lent=True)
    await notified_by_person(tx, clock, promise, channel)
    return promise


async def notified_by_person(
    tx: Transaction, clock: PromiseClock, promise: Promise, channel: Channel, caused_by: UUID | None = None
) -> None:
    """Whoever acts told the customer of a locked promise; nothing more when they knew."""
    if promise.delay_notify_time:
        return  # the clock breaks it, if it is over
    await _break_when_over(tx, clock, promise)
    notifier = actor_name(tx.call.principal.subject, tx.db.service)
    if told := promise.delay_notified(tx.now, notifier, channel):
        await _save(tx, promise, told, caused_by)


async def _save(tx: Transaction, promise: Promise, fact: Any, caused_by: UUID | None = None) -> None:
    """Write what became of a promise, and what is owed to the customer for that."""
    fact_id = await save(tx, store.UPDATE_PROMISE, promise, fact, caused_by=caused_by)
    await keep_promise_clocks(tx, promise, fact_id)


async def _break_when_over(tx: Transaction, clock: PromiseClock, promise: Promise) -> None:
    """Whether a promise was broken is not up to who comes first, a person or the timer."""
    if clock.broken_at(promise) > tx.now or not promise.live:
        return
    if broken := promise.break_():
        tx.record(broken, version=promise.version)
        count_outcome(tx, "broken")


async def promise_due_soon(tx: Transaction, timer: Timer) -> None:
    """The due time is near: an open promise is at risk."""
    promise_id = UUID(timer.key)
    work_item = await store.LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await found(tx, PROMISE, store.LOCK_PROMISE, promise_id)
    if at_risk := promise.due_soon(unattended=work_item is not None and work_item.unattended):
        await _save(tx, promise, at_risk)


async def break_promise(tx: Transaction, timer: Timer) -> None:
    """Due time and grace are over: a promise that has not ended is broken."""
    promise = await found(tx, PROMISE, store.LOCK_PROMISE, UUID(timer.key))
    if broken := promise.break_():
        await _save(tx, promise, broken)
        count_outcome(tx, "broken")


def _new_due(promise: Promise, due_time: datetime | None, due_date: date | None, now: datetime) -> Due:
    """A new date of the kind that was promised; for a day, in the zone that was pinned then."""
    if promise.due_date:
        due = Due.of_day(due_date, promise.time_zone) if due_date else None
        if due is None or due.time <= now:
            allowed = f"must be a day that is not over in {promise.time_zone}, because a day was promised"
            raise invalid("due_date", "INVALID_TIME", allowed)
        return due
    if due_time is None:
        raise invalid("due_time", "INVALID_TIME", "must be given, because a moment was promised")
    return Due(due_time)


async def _own(tx: Transaction, promise_id: UUID, etag: str, *, lent: bool = False) -> Promise:
    """The promise, locked. `lent`: whoever answers for its case may too, for they speak with the customer."""
    promise = await found(tx, PROMISE, store.LOCK_PROMISE, promise_id)
    cases = await store.CASES_BY_ID.all(tx, ids=[promise.case_id]) if lent and promise.case_id else []
    tx.require_owner(promise, *cases)
    etags.match(etag, promise.name, promise.version)
    return promise
