"""Keeping clocks: which are started, how they are written, and when they are looked at again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from cases.domain.case import Case, CaseState
from cases.domain.clock import BusinessTime, Clock, ClockState
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Subject, Target
from cases.domain.work_item import WorkItem
from cases.store import clocks as store
from cases.store.calendars import CALENDAR
from cases.usecases.calendar import Calendars
from cases.usecases.conditions import first_that_holds
from cases.usecases.deadlines import look_again
from cases.usecases.held import hold
from cases.usecases.standing import standing_of
from chassis import ids
from chassis.api.entities import write
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction

_CALENDARS: WeakKeyDictionary[Database, Calendars] = WeakKeyDictionary()  # a service's, as long as it is up
DUE_TIMER, WARNING_TIMER = "clock-due", "clock-warning"


async def clocks_of(tx: Transaction, about: Case | WorkItem) -> Sequence[Clock]:
    """The clocks of a case or of a work item, locked."""
    if isinstance(about, Case):
        return await clocks_of_cases(tx, [about])
    return await store.LOCK_CLOCKS_OF_WORK_ITEM.all(tx, work_item_id=about.id)


async def clocks_of_cases(tx: Transaction, cases: Iterable[Case]) -> Sequence[Clock]:
    """The clocks of several cases, locked in the order of their ids; not those of the work on them."""
    return await store.LOCK_CLOCKS_OF_CASES.all(tx, case_ids=[case.id for case in cases])


async def policy_for(
    tx: Transaction, subject: Subject, case: Case, work_item: WorkItem | None = None
) -> ClockPolicy | None:
    """The policy that is followed for a case or a work item now."""
    department_id = (work_item or case).department_id
    policies: Sequence[ClockPolicy] = await store.POLICIES_FOR.all(
        tx, subject=subject, department_id=department_id
    )
    if not policies:
        return None
    standing = await standing_of(tx, case.customer_id, tx.now)
    (held,) = await hold(tx, [case])
    return first_that_holds(policies, held, work_item, standing.band)


async def start_again(
    tx: Transaction, case: Case, metric: ClockMetric, at: datetime, caused_by: UUID | None = None
) -> Clock | None:
    """Start one clock of an open case, if the policy that is followed for it now has it."""
    policy = await policy_for(tx, Subject.CASE, case) if case.state is CaseState.OPEN else None
    for target in policy.targets if policy else ():
        if policy and target.metric is metric:
            return await start_clock(tx, policy, target, case, at=at, caused_by=caused_by)
    return None


async def start_clock(
    tx: Transaction,
    policy: ClockPolicy,
    target: Target,
    case: Case,
    work_item: WorkItem | None = None,
    *,
    at: datetime,
    caused_by: UUID | None = None,
) -> Clock:
    """Start a clock, at a moment that may be past."""
    calendar = await CALENDAR.one(tx, id=target.calendar_id)
    clock = Clock(
        id=ids.uuid7(tx.now),
        case_id=case.id,
        customer_id=case.customer_id,
        department_id=(work_item or case).department_id,
        metric=target.metric,
        clock_policy_id=policy.id,
        policy_version=policy.version,
        calendar_id=calendar.id,
        calendar_version=calendar.version,
        business_minutes=target.business_minutes,
        warning_minutes=target.warning_minutes,
        start_time=at,
        update_time=tx.now,
        work_item_id=work_item.id if work_item else None,
    )
    started = clock.start(await calendar_of(tx, clock))
    await tx.defer(store.INSERT_CLOCK, **values(clock))
    tx.record(started, version=clock.version, caused_by=caused_by)
    await _set_timers(tx, clock)
    return clock


async def save_clock(tx: Transaction, clock: Clock, fact: Any | None, caused_by: UUID | None = None) -> None:
    """Write what changed, if a fact says that something did, and set its timers by that."""
    if fact is None:
        return
    await write(tx, store.UPDATE_CLOCK, clock)
    tx.record(fact, version=clock.version, caused_by=caused_by)
    await _set_timers(tx, clock)


async def _set_timers(tx: Transaction, clock: Clock) -> None:
    """A clock that does not run costs nothing, and one that does as little until its time comes."""
    due = None if clock.is_decided else clock.due_time
    warned = clock.warning_time if clock.state is ClockState.RUNNING else None
    for kind, at in ((DUE_TIMER, due), (WARNING_TIMER, warned)):
        if at:
            await tx.schedule(kind, str(clock.id), at)
        else:
            await tx.cancel(kind, str(clock.id))
    if clock.work_item_id and not clock.fulfill_time:
        await look_again(tx, clock.work_item_id)


def calendars(db: Database) -> Calendars:
    """The calendars of a service, those compiled that it asked for last."""
    return _CALENDARS.setdefault(db, Calendars())


async def calendar_of(tx: Transaction, clock: Clock, version: int | None = None) -> BusinessTime:
    """The calendar that a clock goes by, in the version that it keeps to unless another is asked for."""
    return await calendars(tx.db).of(tx, clock.calendar_id, version or clock.calendar_version)
