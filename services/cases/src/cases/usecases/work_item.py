"""The departments' parts of a case, and what they mean for the promises that rest on them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cases.domain.case import Case
from cases.domain.clock_policy import ClockMetric
from cases.domain.deadline import deadline_of
from cases.domain.dependencies import ITEMS_MAX, earliest, require_order
from cases.domain.facts import WorkItemCreated
from cases.domain.handoff import Handoff
from cases.domain.promise_clock import PromiseClock
from cases.domain.work_item import WorkItem
from cases.names import AGENT, CASE, WORK_ITEM
from cases.store import tables as store
from cases.store.handoffs import END_HANDOFF, INSERT_HANDOFF, START_HANDOFF
from cases.usecases.clock import clocks_stand_still, fulfill_clocks_of_work_item, start_clocks_of_work_item
from cases.usecases.clock_keeping import keep_promise_clocks
from cases.usecases.department import require_fields
from cases.usecases.dependencies import owned_with_its_case, tell
from cases.usecases.promise import count_outcome, outcome_of_kept, require_word
from cases.usecases.routing import route
from cases.usecases.standing import standing_of
from chassis import ids
from chassis.api.actors import actor_name
from chassis.api.entities import owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of


async def create_work_item(
    tx: Transaction,
    *,
    case_id: UUID,
    department_id: str,
    kind: str,
    reference: str,
    display_name: str,
    predecessor_ids: list[UUID],
    duration_minutes: int,
    fields: dict[str, str],
    team_id: str | None,
    required_skills: list[str],
    language_code: str,
) -> WorkItem:
    """Give a department a part of an open case, which may wait for others."""
    case = await owned(
        tx, CASE, store.LOCK_CASE, case_id
    )  # who answers for a case asks others for their parts
    case.require_open()
    await require_fields(tx, department_id, kind, fields, "work_item.fields")
    items = await require_room(tx, case)
    work_item = WorkItem(
        ids.uuid7(tx.now),
        case_id,
        case.customer_id,
        department_id,
        kind,
        reference,
        tx.now,
        tx.now,
        display_name=display_name,
        predecessor_ids=sorted(set(predecessor_ids)),
        duration_minutes=duration_minutes,
        fields=fields,
    )
    work_item.be_due(deadline_of(tx.now, (await standing_of(tx, case.customer_id, tx.now)).band))
    await route(tx, work_item, team_id, required_skills, language_code)
    cause = tx.record(fact_of(WorkItemCreated, work_item), version=work_item.version)
    if predecessor_ids:
        before = await store.LOCK_WORK_ITEMS.all(tx, ids=predecessor_ids)
        require_order(work_item, before)
        work_item.held = not all(each.can_go_on for each in before)
        if forecast := work_item.wait_until(earliest(work_item, {each.id: each for each in before})):
            tx.record(forecast, version=work_item.version, caused_by=cause)
    await keep_new(tx, case, work_item, items, cause)
    return work_item


async def require_room(tx: Transaction, case: Case) -> Sequence[WorkItem]:
    """All work of a case, locked as the case is; `WORK_ITEM_LIMIT` when it has no room for more."""
    items = await store.LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=case.id)
    if len(items) >= ITEMS_MAX:
        told = f"{case.name} has {len(items)} work items, as many as a case can have: open another case."
        raise FailedPrecondition("WORK_ITEM_LIMIT", told, {"resource": case.name, "most": ITEMS_MAX})
    return items


async def keep_new(
    tx: Transaction, case: Case, work_item: WorkItem, items: Sequence[WorkItem], caused_by: UUID
) -> Sequence[WorkItem]:
    """Keep work beside the other `items` of its case, with what begins with it. All of them."""
    await store.INSERT_WORK_ITEM.run(tx, **values(work_item))
    await tx.defer(INSERT_HANDOFF, **values(came(work_item, case.department_id, tx.now)))
    items = [*items, work_item]
    await clocks_stand_still(tx, items, caused_by)
    await start_clocks_of_work_item(tx, case, work_item, items, caused_by)
    return items


def came(work_item: WorkItem, requesting_department_id: str, now: datetime) -> Handoff:
    """The line of the ledger that begins when work comes to its department."""
    return Handoff(
        id=ids.uuid7(now),
        work_item_id=work_item.id,
        case_id=work_item.case_id,
        customer_id=work_item.customer_id,
        requesting_department_id=requesting_department_id,
        department_id=work_item.department_id,
        hand_over_time=now,
    )


async def forecast_work_item(
    tx: Transaction,
    clock: PromiseClock,
    *,
    work_item_id: UUID,
    forecast_finish_time: datetime,
    reason_code: str,
    etag: str,
) -> WorkItem:
    """Say when the work is expected to finish; compare what waits for it, and promises, with that."""
    work_item, items = await owned_with_its_case(tx, work_item_id, etag)
    bound = earliest(work_item, {each.id: each for each in items})
    forecast = work_item.forecast(forecast_finish_time, reason_code, bound)
    forecast_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, forecast)
    await tell(tx, clock, items, {work_item.id: forecast_id})
    return work_item


async def start_work_item(tx: Transaction, *, work_item_id: UUID, etag: str) -> WorkItem:
    """Begin the work, also before what it waits for is finished: what is done is done.

    An agent of its department who begins what nobody has has it: it is in no queue any more.
    """
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    assigned_id = await _be_theirs(tx, work_item)
    started = await save(
        tx, store.UPDATE_WORK_ITEM, work_item, work_item.start(tx.now), caused_by=assigned_id
    )
    await tx.defer(START_HANDOFF, work_item_id=work_item_id, at=tx.now)
    await fulfill_clocks_of_work_item(tx, work_item, tx.now, [ClockMetric.FIRST_RESPONSE], started)
    return work_item


async def _be_theirs(tx: Transaction, work_item: WorkItem) -> UUID | None:
    """Work that nobody has is of the agent who calls, if they are of its department. The event's id."""
    caller = AGENT.match(actor_name(tx.call.principal.subject, tx.db.service))
    if caller is None or work_item.assignee_id:
        return None
    agent = await store.HOLD_AGENT.maybe(tx, id=caller[0])
    if agent is None or agent.inactive or agent.department_id != work_item.department_id:
        return None
    return tx.record(work_item.assign(agent.id), version=work_item.version)


async def finish_work_item(
    tx: Transaction, clock: PromiseClock, *, work_item_id: UUID, finish_time: datetime | None, etag: str
) -> WorkItem:
    """End the work, now unless told when; the promises that rest on it are kept by this, broken ones late.

    What `require_word` refuses.
    """
    work_item, items = await owned_with_its_case(tx, work_item_id, etag)
    await end(tx, clock, work_item, items, min(finish_time or tx.now, tx.now))
    return work_item


async def end(
    tx: Transaction,
    clock: PromiseClock,
    work_item: WorkItem,
    items: Sequence[WorkItem],
    finished_at: datetime,
    caused_by: UUID | None = None,
) -> None:
    """The work, which is locked with all of its case, is done."""
    fact = work_item.finish(finished_at)
    finish_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, fact, caused_by=caused_by)
    await tx.defer(END_HANDOFF, work_item_id=work_item.id, at=finished_at)
    await fulfill_clocks_of_work_item(tx, work_item, finished_at, ClockMetric, finish_id)
    keeper = actor_name(tx.call.principal.subject, tx.db.service)
    for promise in await store.LOCK_PROMISES_AWAITED.all(tx, work_item_ids=[work_item.id]):
        done_at = max(finished_at, promise.since)  # what was done before it was promised is kept at once
        require_word(tx, clock, promise, done_at)
        kept = promise.keep(done_at, tx.now, keeper)
        kept_id = await save(tx, store.UPDATE_PROMISE, promise, kept, caused_by=finish_id)
        await keep_promise_clocks(tx, promise, kept_id)
        count_outcome(tx, outcome_of_kept(promise))
    await tell(tx, clock, items, {work_item.id: finish_id}, but=work_item.id)
    await clocks_stand_still(tx, items, finish_id)
