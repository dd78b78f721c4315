"""Finding clocks that are not as they should be, and mending them: by and by, or at once when asked.

What derives may be wrong: by a fault of ours, by rows that were lost, by a release that did not know of it.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from cases.domain.about import About, owed, settled_at
from cases.domain.case import Case, CaseState
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockMetric, ClockPolicy
from cases.domain.reconciling import Around, Flaw, mend
from cases.domain.work_item import WorkItem, WorkItemState
from cases.store import clocks as clock_store
from cases.store import reconciling as store
from cases.store import tables
from cases.usecases.calendar import MEANWHILE
from cases.usecases.clock import AT_ONCE
from cases.usecases.clock_keeping import (
    DUE_TIMER,
    WARNING_TIMER,
    calendar_of,
    policy_for,
    save_clock,
    set_timers,
    start_clock,
)
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from chassis.work.timers import Timer

RECONCILE_TIMER = "clocks-reconcile"
EVERY, PACE = timedelta(hours=6), timedelta(seconds=1)  # a round, and a page of it
PAGE = 200
MENDED = Counter(
    "rapport_clocks_mended",
    "Clocks that were not as they should be and were mended, by what was wrong.",
    ["flaw"],
)
for _each in Flaw:
    MENDED.labels(_each.lower())  # told from the start, so that a first one is seen


@dataclass(frozen=True, slots=True)
class Finding:
    """A clock that was not as it should be; names, which may be empty."""

    clock: str
    case: str
    work_item: str
    promise: str
    flaw: Flaw


@dataclass(slots=True)
class Reconciled:
    """What was looked at, and what was wrong."""

    checked_count: int = 0
    findings: list[Finding] = field(default_factory=list)
    next_page_token: str = ""


async def reconcile_clocks(tx: Transaction, *, page_token: str, validate_only: bool) -> Reconciled:
    """Look at some, and mend what is wrong unless only that is to be said. INVALID_PAGE_TOKEN."""
    kind, _, after = (page_token or f"{next(iter(_PHASES))}/{UUID(int=0)}").partition("/")
    try:
        look, after_id = _PHASES[kind], UUID(after)
    except (KeyError, ValueError):
        raise invalid(
            "page_token", "INVALID_PAGE_TOKEN", "must be the next_page_token of an answer"
        ) from None
    tx.touch(f"services/{tx.db.service}")
    told = Reconciled()
    last = await look(tx, after_id, told, validate_only)
    kinds = [*_PHASES, ""]
    following = kinds[kinds.index(kind) + 1]
    if last or following:
        told.next_page_token = f"{kind}/{last}" if last else f"{following}/{UUID(int=0)}"
    return told


async def reconcile_some(tx: Transaction, timer: Timer) -> None:
    """A page of a round, each some time after the one before; and the next round."""
    told = await reconcile_clocks(tx, page_token=timer.key, validate_only=False)
    wait = PACE if told.next_page_token else EVERY
    await tx.schedule(RECONCILE_TIMER, told.next_page_token, tx.now + wait)


async def begin_reconciling(db: Database) -> None:
    """Make sure that there are rounds, one at a time, however many replicas start."""
    with acting(Call("reconcile", service_itself(db.service))):
        async with db.transaction() as tx:
            await LOCK_NAME.run(tx, name=RECONCILE_TIMER)
            (count,) = await store.TIMERS_OF.one(tx, kind=RECONCILE_TIMER)
            if not count:
                await tx.schedule(RECONCILE_TIMER, "", tx.now + EVERY)


async def _look_at_clocks(tx: Transaction, after: UUID, told: Reconciled, validate_only: bool) -> UUID | None:
    clocks = await store.SOME_UNDECIDED.all(tx, after=after, limit=PAGE)
    told.checked_count += len(clocks)
    around = await _around(tx, clocks)
    for clock in clocks:
        found = list(mend(replace(clock), around[clock.id]))
        if found and not validate_only:
            found = await _mend(tx, clock)
        told.findings += [_finding(clock, flaw) for flaw, _ in found]
    return clocks[-1].id if len(clocks) == PAGE else None


async def _mend(tx: Transaction, seen: Clock) -> list[tuple[Flaw, Any]]:
    """Look again, now that nobody changes what it is about, and write what it should be."""
    if seen.promise_id:
        await tables.LOCK_PROMISE.one(tx, id=seen.promise_id)
    elif seen.case_id:
        await tables.LOCK_CASE.one(tx, id=seen.case_id)
        await tables.LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=seen.case_id)
    clock = await clock_store.LOCK_CLOCK.one(tx, id=seen.id)
    if clock.is_decided:
        return []
    around = (await _around(tx, [clock]))[clock.id]
    found = []
    for flaw, fact in mend(clock, around):
        found.append((flaw, fact))
        _count(tx, flaw)
        await save_clock(tx, clock, fact)
        await set_timers(tx, clock)
    return found


async def _around(tx: Transaction, clocks: Sequence[Clock]) -> dict[UUID, Around]:
    """What each of some clocks is to be compared with."""
    kinds = {"due_kind": DUE_TIMER, "warning_kind": WARNING_TIMER}
    rows = await store.AROUND.all(tx, ids=[clock.id for clock in clocks], **kinds)
    by_id = {row["id"]: row for row in rows}
    calendar_ids = list({clock.calendar_id for clock in clocks})
    latest = await store.LATEST.all(tx, ids=calendar_ids, before=tx.now - MEANWHILE)
    versions = {row["id"]: row["version"] for row in latest}
    promise_ids = [clock.promise_id for clock in clocks if clock.promise_id]
    promises = {each.id: each for each in await store.PROMISES_BY_ID.all(tx, ids=promise_ids)}
    case_ids = {clock.case_id for clock in clocks if clock.pauses}
    work = defaultdict[UUID | None, list[WorkItem]](list)
    for item in await store.WORK_OF_CASES.all(tx, ids=list(case_ids)) if case_ids else ():
        work[item.case_id].append(item)
    found = {}
    for clock in clocks:
        row, version = by_id[clock.id], versions.get(clock.calendar_id, 0)
        done_time = row["done_time"]
        if clock.promise_id and clock.metric not in owed(promise := promises[clock.promise_id]):
            done_time = settled_at(clock.metric, promise, promise.update_time)
        newer = (version, await calendar_of(tx, clock, version)) if version > clock.calendar_version else None
        found[clock.id] = Around(
            now=tx.now,
            department_id=row["department_id"],
            calendar=await calendar_of(tx, clock),
            newer=newer,
            done_time=done_time,
            items=work[clock.case_id],
            due_timer=row["due_timer"],
            warning_timer=row["warning_timer"],
        )
    return found


async def _look_at_cases(tx: Transaction, after: UUID, told: Reconciled, validate_only: bool) -> UUID | None:
    before = tx.now - MEANWHILE
    cases = await store.CASES_WITHOUT.all(tx, after=after, before=before, limit=PAGE)
    told.checked_count += len(cases)
    for seen in cases:
        policy = await policy_for(tx, About(seen), seen.open_time)
        metrics = [each.metric for each in policy.targets] if policy else []
        if not set(AT_ONCE) & set(metrics) or policy is None:
            continue
        if validate_only:
            told.findings.append(Finding("", seen.name, "", "", Flaw.MISSING))
            continue
        case = await tables.LOCK_CASE.one(tx, id=seen.id)
        if case.state is CaseState.OPEN and not await clock_store.LOCK_CLOCKS_OF_CASES.all(
            tx, case_ids=[case.id]
        ):
            told.findings += [_finding(each, Flaw.MISSING) for each in await _start(tx, policy, case)]
    return cases[-1].id if len(cases) == PAGE else None


async def _start(tx: Transaction, policy: ClockPolicy, case: Case) -> list[Clock]:
    """The clocks that a case should have had since it was opened; of one that was reopened, since now."""
    contacts = await clock_store.CONTACTS.maybe(tx, case_id=case.id)
    answered = contacts.answer_time if contacts else None
    since = tx.now if case.reopen_count else case.open_time
    told = max(since, answered or since)
    started = []
    for target in policy.targets:
        if target.metric not in AT_ONCE:
            continue
        silent_since = told if target.metric is ClockMetric.SILENCE else since
        clock = await start_clock(tx, policy, target, About(case), at=silent_since)
        if target.metric is ClockMetric.FIRST_RESPONSE and answered:
            await save_clock(tx, clock, clock.answer(told, await calendar_of(tx, clock)))
        _count(tx, Flaw.MISSING)
        started.append(clock)
    return started


async def _look_at_work(tx: Transaction, after: UUID, told: Reconciled, validate_only: bool) -> UUID | None:
    before = tx.now - MEANWHILE
    items = await store.WORK_WITHOUT.all(tx, after=after, before=before, limit=PAGE)
    told.checked_count += len(items)
    cases = {each.id: each for each in await tables.CASES_BY_ID.all(tx, ids=[item.case_id for item in items])}
    for seen in items:
        about = About(cases[seen.case_id], seen)
        if about.case and about.case.resolve_time:  # it came after that, and has none
            continue
        if (policy := await policy_for(tx, about, seen.create_time)) is None:
            continue
        if validate_only:
            told.findings.append(Finding("", seen.case, seen.name, "", Flaw.MISSING))
            continue
        await tables.LOCK_CASE.one(tx, id=seen.case_id)
        work_item = await tables.LOCK_WORK_ITEM.one(tx, id=seen.id)
        known = await clock_store.LOCK_CLOCKS_OF_WORK_ITEM.all(tx, work_item_id=seen.id)
        if known or work_item.state is WorkItemState.FINISHED:
            continue
        for target in policy.targets:
            clock = await start_clock(
                tx, policy, target, About(about.case, work_item), at=work_item.create_time
            )
            if target.metric is ClockMetric.FIRST_RESPONSE and work_item.start_time:
                done = clock.fulfill(work_item.start_time, await calendar_of(tx, clock))
                await save_clock(tx, clock, done)
            _count(tx, Flaw.MISSING)
            told.findings.append(_finding(clock, Flaw.MISSING))
    return items[-1].id if len(items) == PAGE else None


_PHASES: dict[str, Callable[[Transaction, UUID, Reconciled, bool], Awaitable[UUID | None]]] = {
    "clocks": _look_at_clocks,
    "cases": _look_at_cases,
    "workItems": _look_at_work,
}


def _count(tx: Transaction, flaw: Flaw) -> None:
    tx.after_commit(MENDED.labels(flaw.lower()).inc)


def _finding(clock: Clock, flaw: Flaw) -> Finding:
    return Finding(clock.name, clock.case, clock.work_item, clock.promise, flaw)
