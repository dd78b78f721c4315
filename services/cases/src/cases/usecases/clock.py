"""Starting clocks, and what happens to them: by hand, with their case or work item, and in time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.domain.calendars import ALWAYS
from cases.domain.case import Case
from cases.domain.clock import BusinessTime, Clock, ClockState
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Subject, Target
from cases.domain.work_item import WorkItem
from cases.names import CLOCK
from cases.store import clocks as store
from cases.usecases.conditions import first_that_holds
from chassis import ids
from chassis.api.entities import found, owned, write
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer

DUE_TIMER, WARNING_TIMER = "clock-due", "clock-warning"
AT_ONCE = (ClockMetric.FIRST_RESPONSE, ClockMetric.RESOLUTION, ClockMetric.SILENCE)


async def start_clocks_of_case(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """Start what the policy for a new case says."""
    if policy := await _policy_for(tx, Subject.CASE, case, None):
        for target in policy.targets:
            if target.metric in AT_ONCE:
                await _start(tx, policy, target, case, caused_by)


async def start_clocks_of_work_item(
    tx: Transaction, case: Case, work_item: WorkItem, caused_by: UUID
) -> None:
    """Start what the policy for a new work item says."""
    if policy := await _policy_for(tx, Subject.WORK_ITEM, case, work_item):
        for target in policy.targets:
            await _start(tx, policy, target, case, caused_by, work_item)


async def fulfill_clocks_of_case(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """It is resolved: whatever was waited for is done."""
    for clock in await _clocks_of(tx, case):
        await _save(tx, clock, clock.fulfill(tx.now, await _calendar(tx, clock)), caused_by)


async def reopen_clocks_of_case(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """It is open again: it has as much time to be resolved as it had left."""
    for clock in await _clocks_of(tx, case):
        if clock.metric is ClockMetric.RESOLUTION:
            await _save(tx, clock, clock.reopen(tx.now, await _calendar(tx, clock)), caused_by)


async def hand_clocks_over(tx: Transaction, about: Case | WorkItem) -> None:
    """Another department has the case or the work item, and with it what is left of its time."""
    for clock in await _clocks_of(tx, about):
        if clock.department_id != about.department_id:
            clock.department_id = about.department_id
            clock.version += 1
            await write(tx, store.UPDATE_CLOCK, clock)


async def fulfill_clocks_of_work_item(
    tx: Transaction, work_item: WorkItem, at: datetime, metrics: Iterable[ClockMetric], caused_by: UUID
) -> None:
    """It was started or finished at that moment."""
    for clock in await _clocks_of(tx, work_item):
        if clock.metric in metrics:
            await _save(tx, clock, clock.fulfill(at, await _calendar(tx, clock)), caused_by)


async def pause_clock(tx: Transaction, *, clock_id: UUID, reason_code: str, etag: str) -> Clock:
    """Let a clock stand still while somebody else has to act."""
    clock = await owned(tx, CLOCK, store.LOCK_CLOCK, clock_id, etag=etag)
    await _break_when_over(tx, clock)
    await _save(tx, clock, clock.pause(tx.now, reason_code, await _calendar(tx, clock)))
    return clock


async def resume_clock(tx: Transaction, *, clock_id: UUID, etag: str) -> Clock:
    """Let a paused clock go on."""
    clock = await owned(tx, CLOCK, store.LOCK_CLOCK, clock_id, etag=etag)
    await _save(tx, clock, clock.resume(tx.now, await _calendar(tx, clock)))
    return clock


async def clock_due(tx: Transaction, timer: Timer) -> None:
    """The time of a clock is up: what is not done by now is late."""
    clock = await found(tx, CLOCK, store.LOCK_CLOCK, UUID(timer.key))
    await _save(tx, clock, clock.breach(tx.now))


async def clock_due_soon(tx: Transaction, timer: Timer) -> None:
    """The time of a clock is up soon."""
    clock = await found(tx, CLOCK, store.LOCK_CLOCK, UUID(timer.key))
    await _save(tx, clock, clock.warn(tx.now))


async def _clocks_of(tx: Transaction, about: Case | WorkItem) -> Sequence[Clock]:
    """The clocks of a case or of a work item, locked."""
    if isinstance(about, Case):
        return await store.LOCK_CLOCKS_OF_CASE.all(tx, case_id=about.id)
    return await store.LOCK_CLOCKS_OF_WORK_ITEM.all(tx, work_item_id=about.id)


async def _policy_for(
    tx: Transaction, subject: Subject, case: Case, work_item: WorkItem | None
) -> ClockPolicy | None:
    department_id = (work_item or case).department_id
    policies: Sequence[ClockPolicy] = await store.POLICIES_FOR.all(
        tx, subject=subject, department_id=department_id
    )
    return first_that_holds(policies, case, work_item) if policies else None


async def _start(
    tx: Transaction,
    policy: ClockPolicy,
    target: Target,
    case: Case,
    caused_by: UUID,
    work_item: WorkItem | None = None,
) -> None:
    clock = Clock(
        id=ids.uuid7(tx.now),
        case_id=case.id,
        customer_id=case.customer_id,
        department_id=(work_item or case).department_id,
        metric=target.metric,
        clock_policy_id=policy.id,
        policy_version=policy.version,
        business_minutes=target.business_minutes,
        warning_minutes=target.warning_minutes,
        start_time=tx.now,
        update_time=tx.now,
        work_item_id=work_item.id if work_item else None,
    )
    started = clock.start(await _calendar(tx, clock))
    await tx.defer(store.INSERT_CLOCK, **values(clock))
    tx.record(started, version=clock.version, caused_by=caused_by)
    await _set_timers(tx, clock)


async def _break_when_over(tx: Transaction, clock: Clock) -> None:
    """Whether time was up is not up to who comes first, a person or the timer."""
    if breached := clock.breach(tx.now):
        tx.record(breached, version=clock.version)


async def _save(tx: Transaction, clock: Clock, fact: Any | None, caused_by: UUID | None = None) -> None:
    """Write what changed, if a fact says that something did, and set its timers by that."""
    if fact is None:
        return
    await write(tx, store.UPDATE_CLOCK, clock)
    tx.record(fact, version=clock.version, caused_by=caused_by)
    await _set_timers(tx, clock)


async def _set_timers(tx: Transaction, clock: Clock) -> None:
    """A clock that does not run costs nothing, and one that does as little until its time comes."""
    runs = clock.state is ClockState.RUNNING
    for kind, at in ((DUE_TIMER, clock.due_time), (WARNING_TIMER, clock.warning_time)):
        if runs and at:
            await tx.schedule(kind, str(clock.id), at)
        else:
            await tx.cancel(kind, str(clock.id))


async def _calendar(tx: Transaction, clock: Clock) -> BusinessTime:
    return ALWAYS
