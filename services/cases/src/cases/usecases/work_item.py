"""The departments' parts of a case, and what they mean for the promises that rest on them."""

from datetime import datetime
from uuid import UUID

from cases.domain.facts import WorkItemCreated
from cases.domain.promise_clock import PromiseClock, compared
from cases.domain.work_item import WorkItem
from cases.names import CASE, WORK_ITEM
from cases.store import tables as store
from cases.usecases.promise import count_outcome, outcome_of_kept
from chassis import ids
from chassis.api.entities import owned, save, write
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of


async def create_work_item(
    tx: Transaction, *, case_id: UUID, department_id: str, kind: str, reference: str, display_name: str
) -> WorkItem:
    """Give a department a part of an open case."""
    case = await owned(
        tx, CASE, store.LOCK_CASE, case_id
    )  # who answers for a case asks others for their parts
    case.require_open()
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
    )
    await tx.defer(store.INSERT_WORK_ITEM, **values(work_item))
    tx.record(fact_of(WorkItemCreated, work_item), version=work_item.version)
    return work_item


async def forecast_work_item(
    tx: Transaction,
    clock: PromiseClock,
    *,
    work_item_id: UUID,
    forecast_finish_time: datetime,
    reason_code: str,
    etag: str,
) -> WorkItem:
    """Say when the work is expected to finish, and compare the promises that rest on it with that."""
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    forecast = work_item.forecast(forecast_finish_time, reason_code)
    forecast_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, forecast)
    for promise in await store.LOCK_PROMISES_AWAITED.all(tx, work_item_id=work_item_id):
        facts = compared(promise, work_item, clock, tx.now)
        for fact, version in facts:
            tx.record(fact, version=version, caused_by=forecast_id)
        if facts:
            await write(tx, store.UPDATE_PROMISE, promise)
    return work_item


async def start_work_item(tx: Transaction, *, work_item_id: UUID, etag: str) -> WorkItem:
    """Begin the work."""
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    await save(tx, store.UPDATE_WORK_ITEM, work_item, work_item.start(tx.now))
    return work_item


async def finish_work_item(
    tx: Transaction, *, work_item_id: UUID, finish_time: datetime | None, etag: str
) -> WorkItem:
    """End the work, now unless told when; the promises that rest on it are kept by this, broken ones late."""
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    finished_at = min(finish_time or tx.now, tx.now)
    finish_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, work_item.finish(finished_at))
    for promise in await store.LOCK_PROMISES_AWAITED.all(tx, work_item_id=work_item_id):
        done_at = max(finished_at, promise.since)  # what was done before it was promised is kept at once
        await save(tx, store.UPDATE_PROMISE, promise, promise.keep(done_at, tx.now), caused_by=finish_id)
        count_outcome(tx, outcome_of_kept(promise))
    return work_item
