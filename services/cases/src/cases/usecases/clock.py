"""Starting clocks, and what happens to them: by hand, with their case or work item, and in time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from cases.domain.about import About
from cases.domain.case import Case
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockMetric
from cases.domain.standstill import is_by_itself, standstill
from cases.domain.work_item import WorkItem
from cases.names import CLOCK
from cases.store import clocks as store
from cases.store.calendars import CALENDAR
from cases.usecases.calendar import FOLLOW_TIMER
from cases.usecases.clock_keeping import (
    calendar_of,
    clocks_of,
    clocks_of_cases,
    policy_for,
    save_clock,
    set_timers,
    start_again,
    start_clock,
)
from chassis.api.entities import found, owned
from chassis.context import Call
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.telemetry.metrics import Snapshot
from chassis.work.timers import Timer

FOLLOWING = 100  # at once
AT_ONCE = (ClockMetric.FIRST_RESPONSE, ClockMetric.RESOLUTION, ClockMetric.SILENCE)
ENDLESS = Snapshot(
    "rapport_clocks_endless",
    "Clocks that run and will never be up, at most 1,000: their calendar does not open for so long any more. "
    "The same in every replica.",
    (),
)


async def count_endless(db: Database) -> None:
    """Tell how many clocks run for ever."""
    row = await store.COUNT_ENDLESS.one(db)
    ENDLESS.replace({(): row["endless"]})


async def start_clocks_of_case(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """Start what the policy for a new case says."""
    if policy := await policy_for(tx, About(case)):
        for target in policy.targets:
            if target.metric in AT_ONCE:
                await start_clock(tx, policy, target, About(case), at=tx.now, caused_by=caused_by)


async def start_clocks_of_work_item(
    tx: Transaction, case: Case, work_item: WorkItem, items: Sequence[WorkItem], caused_by: UUID
) -> None:
    """Start what the policy for a new work item says. `items` is the work of its case, with it.

    What came after its case was resolved waits for nobody.
    """
    if case.resolve_time:
        return
    about = About(case, work_item)
    if policy := await policy_for(tx, about):
        for target in policy.targets:
            still = standstill(policy.pauses_of(target.metric), items, work_item.id)
            await start_clock(tx, policy, target, about, at=tx.now, still=still, caused_by=caused_by)


async def fulfill_clocks_of_case(tx: Transaction, cases: Iterable[Case], caused_by: UUID) -> None:
    """A case is resolved with what was merged into it: whatever was waited for is done."""
    for clock in await clocks_of_cases(tx, cases):
        await save_clock(tx, clock, clock.fulfill(tx.now, await calendar_of(tx, clock)), caused_by)


async def reopen_clocks_of_case(tx: Transaction, cases: Sequence[Case], caused_by: UUID) -> None:
    """A case, the first, is open again with what was merged into it, but for what had been settled before.

    It has as much time to be resolved as it had left, and the customer waits to hear.
    """
    case, open_ids = cases[0], {each.id for each in cases if not each.resolve_time}
    clocks = [clock for clock in await clocks_of_cases(tx, cases) if clock.case_id in open_ids]
    for clock in clocks:
        if clock.metric is ClockMetric.RESOLUTION:
            version = None if clock.breach_time else await _latest_version(tx, clock)  # late stays late
            fact = clock.reopen(tx.now, await calendar_of(tx, clock, version), version)
            await save_clock(tx, clock, fact, caused_by)
    waits = [clock for clock in clocks if clock.metric is ClockMetric.SILENCE and not clock.fulfill_time]
    if all(clock.case_id != case.id for clock in waits):
        await start_again(tx, case, ClockMetric.SILENCE, tx.now, caused_by)


async def hand_clocks_over(tx: Transaction, about: Case | WorkItem, caused_by: UUID) -> None:
    """Another department has the case or the work item, and with it what is left of its time.

    Work can go on there: what stood still for the department before does so no more, unless the work does.
    """
    for clock in await clocks_of(tx, about):
        by_itself = is_by_itself(clock.pauses, clock.pause_reason_code)
        if clock.pause_time and clock.work_item_id and not by_itself:
            await save_clock(tx, clock, clock.resume(tx.now, await calendar_of(tx, clock)), caused_by)
        await save_clock(tx, clock, clock.hand_over(about.department_id), caused_by)


async def fulfill_clocks_of_work_item(
    tx: Transaction, work_item: WorkItem, at: datetime, metrics: Iterable[ClockMetric], caused_by: UUID
) -> None:
    """It was started or finished at that moment."""
    for clock in await clocks_of(tx, work_item):
        if clock.metric in metrics:
            await save_clock(tx, clock, clock.fulfill(at, await calendar_of(tx, clock)), caused_by)


async def clocks_stand_still(tx: Transaction, items: Sequence[WorkItem], caused_by: UUID) -> None:
    """Whether the work of a case, all of which is given, can go on may be another than before."""
    if not items:
        return
    for clock in await store.LOCK_CLOCKS_THAT_PAUSE.all(tx, case_id=items[0].case_id):
        still = standstill(clock.pauses, items, clock.work_item_id)
        fact = clock.stand_still(tx.now, still, await calendar_of(tx, clock))
        await save_clock(tx, clock, fact, caused_by)


async def pause_clock(tx: Transaction, *, clock_id: UUID, reason_code: str, etag: str) -> Clock:
    """Let a clock stand still while somebody else has to act."""
    clock = await owned(tx, CLOCK, store.LOCK_CLOCK, clock_id, etag=etag)
    await _break_when_over(tx, clock)
    await save_clock(tx, clock, clock.pause(tx.now, reason_code, await calendar_of(tx, clock)))
    return clock


async def resume_clock(tx: Transaction, *, clock_id: UUID, etag: str) -> Clock:
    """Let a paused clock go on."""
    clock = await owned(tx, CLOCK, store.LOCK_CLOCK, clock_id, etag=etag)
    await save_clock(tx, clock, clock.resume(tx.now, await calendar_of(tx, clock)))
    return clock


async def clocks_follow(tx: Transaction, timer: Timer) -> None:
    """Some clocks go by the latest version of their calendar, and it comes back for the rest."""
    calendar_id, _, after = timer.key.partition("/")
    version = (await CALENDAR.one(tx, id=calendar_id)).version
    behind = await store.LOCK_CLOCKS_BEHIND.all(
        tx, calendar_id=calendar_id, calendar_version=version, after=UUID(after), limit=FOLLOWING
    )
    for clock in behind:
        calendar = await calendar_of(tx, clock, version)
        await save_clock(tx, clock, clock.follow(version, calendar))
    if len(behind) == FOLLOWING:
        await tx.schedule(FOLLOW_TIMER, f"{calendar_id}/{behind[-1].id}", tx.now)


async def clocks_due(tx: Transaction, fired: Sequence[tuple[Timer, Call]]) -> None:
    """The time of clocks is up: what is not done by now is late. Very many may be due at once.

    Who settles something without its clock, as the release before does during a rollout, has done it too.
    """
    calls = {UUID(timer.key): call for timer, call in fired}
    clocks = await store.LOCK_CLOCKS.all(tx, ids=list(calls))
    done_times = {row["id"]: row["done_time"] for row in await store.DONE_TIME.all(tx, ids=list(calls))}
    late = []
    for clock in clocks:
        tx.act(calls[clock.id])
        if done_time := done_times[clock.id]:
            await save_clock(tx, clock, clock.fulfill(done_time, await calendar_of(tx, clock)))
        if breached := clock.breach(tx.now):
            late.append(clock.id)
            tx.record(breached, version=clock.version)
            await set_timers(tx, clock)
    if late:
        await tx.defer(store.BREACH_CLOCKS, ids=late, now=tx.now)


async def clock_due_soon(tx: Transaction, timer: Timer) -> None:
    """The time of a clock is up soon."""
    clock = await found(tx, CLOCK, store.LOCK_CLOCK, UUID(timer.key))
    await save_clock(tx, clock, clock.warn(tx.now))


async def _break_when_over(tx: Transaction, clock: Clock) -> None:
    """Whether time was up is not up to who comes first, a person or the timer."""
    if breached := clock.breach(tx.now):
        tx.record(breached, version=clock.version)


async def _latest_version(tx: Transaction, clock: Clock) -> int:
    """The version of its calendar that holds by now."""
    return (await CALENDAR.one(tx, id=clock.calendar_id)).version
