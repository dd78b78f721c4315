"""Keeping clocks: which are started, how they are written, and when they are looked at again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.domain.about import About, owed, settled_at
from cases.domain.case import Case, CaseState
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Target
from cases.domain.promise import Promise
from cases.domain.reckoning import BusinessTime
from cases.domain.reconciling import timers_of
from cases.domain.standstill import Standstill
from cases.domain.work_item import WorkItem
from cases.store import clocks as store
from cases.store.calendars import CALENDAR
from cases.store.tables import CASES_BY_ID
from cases.usecases.calendar import calendars
from cases.usecases.case_progress import with_work
from cases.usecases.conditions import first_that_holds
from cases.usecases.deadlines import look_again
from cases.usecases.standing import standing_of
from chassis import ids
from chassis.api.entities import write
from chassis.db.statement import values
from chassis.db.transaction import Transaction

DUE_TIMER, WARNING_TIMER = "clock-due", "clock-warning"


async def clocks_of(tx: Transaction, about: Case | WorkItem) -> Sequence[Clock]:
    """The clocks of a case or of a work item, locked."""
    if isinstance(about, Case):
        return await clocks_of_cases(tx, [about])
    return await store.LOCK_CLOCKS_OF_WORK_ITEM.all(tx, work_item_id=about.id)


async def clocks_of_cases(tx: Transaction, cases: Iterable[Case]) -> Sequence[Clock]:
    """The clocks of several cases, locked in the order of their ids; not those of the work on them."""
    return await store.LOCK_CLOCKS_OF_CASES.all(tx, case_ids=[case.id for case in cases])


async def policy_for(tx: Transaction, about: About, at: datetime | None = None) -> ClockPolicy | None:
    """The policy that is followed for something as it is now, of those of now or as they were at a moment."""
    wanted = {"subject": about.subject, "department_id": about.department_id}
    if at is None:
        policies: Sequence[ClockPolicy] = await store.POLICIES_FOR.all(tx, **wanted)
    else:
        policies = await store.POLICIES_AT.all(tx, **wanted, at=at)
    if not policies:
        return None
    standing = await standing_of(tx, about.customer_id, tx.now)
    cases = await with_work(tx, [about.case] if about.case else [])
    return first_that_holds(policies, cases[0] if cases else None, about, standing.band)


async def start_again(
    tx: Transaction, case: Case, metric: ClockMetric, at: datetime, caused_by: UUID | None = None
) -> Clock | None:
    """Start one clock of an open case, if the policy that is followed for it now has it."""
    policy = await policy_for(tx, About(case)) if case.state is CaseState.OPEN else None
    if policy and (target := policy.target(metric)):
        return await start_clock(tx, policy, target, About(case), at=at, caused_by=caused_by)
    return None


async def keep_promise_clocks(
    tx: Transaction, promise: Promise, caused_by: UUID | None = None, *, at: datetime | None = None
) -> None:
    """Start what is owed to the customer as a promise stands, and end what is owed no more.

    For whoever changed it, once it is as it is: now, unless it was `at` another moment. It is locked before
    its clocks.
    """
    owes, clocks = owed(promise), await store.LOCK_CLOCKS_OF_PROMISE.all(tx, promise_id=promise.id)
    for clock in clocks:
        if clock.metric not in owes:
            done_at = max(settled_at(clock.metric, promise, at or tx.now), clock.start_time)
            await save_clock(tx, clock, clock.fulfill(done_at, await calendar_of(tx, clock)), caused_by)
    if new := owes - {clock.metric for clock in clocks}:
        cases = await CASES_BY_ID.all(tx, ids=[promise.case_id]) if promise.case_id else []
        about = About(cases[0] if cases else None, promise=promise)
        policy = await policy_for(tx, about)
        for metric in sorted(new):
            if policy and (target := policy.target(metric)):
                await start_clock(tx, policy, target, about, at=tx.now, caused_by=caused_by)


async def start_clock(
    tx: Transaction,
    policy: ClockPolicy,
    target: Target,
    about: About,
    *,
    at: datetime,
    still: Standstill | None = None,
    caused_by: UUID | None = None,
) -> Clock:
    """Start a clock, at a moment that may be past. `still` is why it stands still at once, if it does."""
    calendar = await CALENDAR.one(tx, id=target.calendar_id)
    clock = Clock(
        id=ids.uuid7(tx.now),
        case_id=about.case.id if about.case else None,
        customer_id=about.customer_id,
        department_id=about.department_id,
        metric=target.metric,
        clock_policy_id=policy.id,
        policy_version=policy.version,
        calendar_id=calendar.id,
        calendar_version=calendar.version,
        business_minutes=target.business_minutes,
        warning_minutes=target.warning_minutes,
        start_time=at,
        update_time=tx.now,
        work_item_id=about.work_item.id if about.work_item else None,
        promise_id=about.promise.id if about.promise else None,
        pauses=policy.pauses_of(target.metric),
    )
    time = await calendar_of(tx, clock)
    started_id = tx.record(clock.start(time), version=clock.version, caused_by=caused_by)
    if still and (paused := clock.stand_still(tx.now, still, time)):
        tx.record(paused, version=clock.version, caused_by=started_id)
    await tx.defer(store.INSERT_CLOCK, **values(clock))
    await set_timers(tx, clock)
    return clock


async def save_clock(tx: Transaction, clock: Clock, fact: Any | None, caused_by: UUID | None = None) -> None:
    """Write what changed, if a fact says that something did, and set its timers by that."""
    if fact is None:
        return
    await write(tx, store.UPDATE_CLOCK, clock)
    tx.record(fact, version=clock.version, caused_by=caused_by)
    await set_timers(tx, clock)


async def set_timers(tx: Transaction, clock: Clock) -> None:
    """A clock that does not run costs nothing, and one that does as little until its time comes."""
    for kind, at in zip((DUE_TIMER, WARNING_TIMER), timers_of(clock), strict=True):
        if at:
            await tx.schedule(kind, str(clock.id), at)
        else:
            await tx.cancel(kind, str(clock.id))
    if clock.work_item_id and not clock.fulfill_time:
        await look_again(tx, clock.work_item_id)


async def calendar_of(tx: Transaction, clock: Clock, version: int | None = None) -> BusinessTime:
    """The calendar that a clock goes by, in the version that it keeps to unless another is asked for."""
    return await calendars(tx.db).of(tx, clock.calendar_id, version or clock.calendar_version)
