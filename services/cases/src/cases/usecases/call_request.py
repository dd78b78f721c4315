"""Asking that a customer is called: by whoever works on a case, and for a notice that reaches nobody."""

from datetime import datetime
from uuid import UUID

from cases.domain.call import BAD_NEWS, KIND, UNDELIVERABLE_NOTICE, Call
from cases.domain.care import SLIPPED_WITHIN, call_first
from cases.domain.case import Case, CaseState
from cases.domain.deadline import deadline_of
from cases.domain.delay_notification import came_back
from cases.domain.dependencies import ITEMS_MAX
from cases.domain.facts import WorkItemCreated
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.domain.work_item import WorkItem
from cases.names import CASE, PROMISE
from cases.store import calls as store
from cases.store import tables
from cases.store.standings import RELATIONSHIP
from cases.usecases.call import require_theirs, still_to_be_told, wait
from cases.usecases.case import open_for_manager
from cases.usecases.routing import route
from cases.usecases.standing import standing_of
from cases.usecases.work_item import keep_new, require_room
from chassis import ids
from chassis.api.entities import found, write
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from chassis.facts import fact_of

CALL_TOPIC = "call-customer"  # of a case that was opened to call somebody of whom there was none


async def request_call(
    tx: Transaction,
    clock: PromiseClock,
    *,
    customer_id: UUID | None,
    case_id: UUID | None,
    promise_id: UUID | None,
    department_id: str | None,
    reason_code: str,
    call_time: datetime | None,
) -> WorkItem:
    """Ask that a customer is called. The call that waits about the promise, if there is one.

    InvalidArgument REQUIRED when nothing says whom; NotFound; FailedPrecondition CASE_RESOLVED, CASE_MERGED,
    WORK_ITEM_LIMIT, CUSTOMER_MISMATCH.
    """
    promise: Promise | None = None
    if promise_id:
        promise = await found(tx, PROMISE, tables.PROMISE, promise_id)
        case_id, customer_id = case_id or promise.case_id, customer_id or promise.customer_id
        if case_id is None and (waiting := await _waits(tx, promise)):  # before a case is opened for another
            tx.require_owner(promise, await tables.CASE.one(tx, id=waiting.case_id))
            await require_theirs(tx, waiting, customer_id)
            return waiting
    if case_id:
        case = await found(tx, CASE, tables.LOCK_CASE, case_id)
    elif customer_id:
        case = await open_for_manager(tx, customer_id, CALL_TOPIC)
    else:
        raise invalid("customer", "REQUIRED", "must be given, or a case or a promise that says whom to call")
    # Who promised something that is on no case may have its customer called.
    tx.require_owner(case, *([promise] if promise and case_id is None else []))
    tx.touch(case.customer)
    case.require_open()
    for name in filter(None, (customer_id, promise.customer_id if promise else None)):
        await require_theirs(tx, case, name)
    if promise and (waiting := await _waits(tx, promise)):
        return waiting
    call = Call(reason_code, promise_id=promise_id, call_time=call_time)
    return await _add(tx, clock, case, call, promise, department_id or case.department_id)


async def _waits(tx: Transaction, promise: Promise) -> WorkItem | None:
    """The call about a promise that is not over, if there is one. The promise is locked: nobody else asks."""
    await tables.LOCK_PROMISE.one(tx, id=promise.id)
    return await store.OPEN_CALL_ABOUT.maybe(tx, promise_id=str(promise.id))


async def call_for_notice(
    tx: Transaction,
    clock: PromiseClock,
    *,
    customer_id: UUID,
    notice_id: UUID,
    promise_id: UUID | None,
    case_id: UUID | None,
    bounced: bool,
    call_by: datetime | None = None,
) -> None:
    """A notice reaches nobody: a person tells the customer, unless they know, or need not be told any more.

    Once for a notice, however often the word of it comes, and one call at a time about a promise. By one that
    `bounced` after a provider accepted it nobody knows anything, whichever word of it comes first. One that
    waits until somebody has called, or until `call_by`, is not called about by its own name: it may come to
    reach nobody, and is called about again.
    """
    promise = await tables.PROMISE.maybe(tx, id=promise_id) if promise_id else None
    case = await _open_case(tx, (promise.case_id if promise else None) or case_id)
    if promise:
        promise = await tables.LOCK_PROMISE.one(tx, id=promise.id)
        if bounced and came_back(promise, notice_id):
            await write(tx, tables.UPDATE_PROMISE, promise)
        waiting = await store.OPEN_CALL_ABOUT.maybe(tx, promise_id=str(promise.id))
        if waiting or not await still_to_be_told(tx, promise):
            return
    if call_by is None and await store.CALL_FOR_NOTICE.maybe(tx, notice_id=str(notice_id)):
        return
    if case is None or case.state is not CaseState.OPEN:
        case = await open_for_manager(tx, customer_id, CALL_TOPIC, case)
    call = Call(
        UNDELIVERABLE_NOTICE if call_by is None else BAD_NEWS,
        promise_id=promise.id if promise else None,
        notice_id=notice_id if call_by is None else None,
    )
    await _add(tx, clock, case, call, promise, case.department_id, call_by)


async def check_call_first(on: Database, promise: Promise) -> list[str]:
    """Why a person is to tell the customer of a promise before a message does; none when that is not so."""
    if not await still_to_be_told(on, promise):
        return []
    since = on.clock.now() - SLIPPED_WITHIN
    return call_first(
        await RELATIONSHIP.one(on, customer_id=promise.customer_id, since=since, beside=promise.id)
    )


async def _open_case(tx: Transaction, case_id: UUID | None) -> Case | None:
    """The case that is worked on for one, locked; None when there is none, or it has no room."""
    case = await tables.LOCK_CASE.maybe(tx, id=case_id) if case_id else None
    if case and case.survivor_id:
        case = await tables.LOCK_CASE.one(tx, id=case.survivor_id)
    if case is None:
        return None
    items = await tables.LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=case.id)
    return case if len(items) < ITEMS_MAX else None


async def _add(
    tx: Transaction,
    clock: PromiseClock,
    case: Case,
    call: Call,
    promise: Promise | None,
    department_id: str,
    call_by: datetime | None = None,
) -> WorkItem:
    items = await require_room(tx, case)
    department = await tables.DEPARTMENT.maybe(tx, id=department_id)
    call.script = department.call_scripts.get(call.reason_code, "") if department else ""
    if call.call_time and call.call_time <= tx.now:
        call.call_time = None
    work_item = WorkItem(
        ids.uuid7(tx.now),
        case.id,
        case.customer_id,
        department_id,
        KIND,
        promise.reference if promise else "",
        tx.now,
        tx.now,
        call=call,
    )
    band = (await standing_of(tx, case.customer_id, tx.now)).band
    work_item.be_due(deadline_of(tx.now, band, call_by or (promise.due_time if promise else None)))
    await route(tx, work_item, None, [], "")
    created_id = tx.record(fact_of(WorkItemCreated, work_item), version=work_item.version)
    items = await keep_new(tx, case, work_item, items, created_id)
    if call.call_time:
        await wait(tx, clock, work_item, items, call.call_time, created_id)
    return work_item
