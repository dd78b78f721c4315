"""What of a case waits for what, and what a change of one part means for the others and their promises."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cases.domain.dependencies import earliest, hold, move, require_order
from cases.domain.promise_clock import PromiseClock, compared
from cases.domain.work_item import WorkItem
from cases.names import WORK_ITEM
from cases.store import tables as store
from cases.usecases.clock import clocks_stand_still
from cases.usecases.clock_keeping import keep_promise_clocks
from chassis.api import etags
from chassis.api.entities import save, write
from chassis.db.transaction import Transaction
from chassis.errors import NotFound


async def add_predecessor(
    tx: Transaction, clock: PromiseClock, *, work_item_id: UUID, predecessor_id: UUID, etag: str
) -> WorkItem:
    """Let work wait for other work of its case, and be expected no earlier."""
    work_item, items = await owned_with_its_case(tx, work_item_id, etag, lent=True)
    work_item.require_unfinished()
    if predecessor_id not in work_item.predecessor_ids:
        beside = await store.LOCK_WORK_ITEMS.all(tx, ids=[predecessor_id])  # of another case, perhaps
        fact = work_item.depend([*work_item.predecessor_ids, predecessor_id])
        require_order(work_item, [*items, *(each for each in beside if each.case_id != work_item.case_id)])
        await _wait(tx, clock, work_item, items, await save(tx, store.UPDATE_WORK_ITEM, work_item, fact))
    return work_item


async def remove_predecessor(
    tx: Transaction, clock: PromiseClock, *, work_item_id: UUID, predecessor_id: UUID, etag: str
) -> WorkItem:
    """Let work no longer wait for other work. A forecast that rested on that alone stands until another."""
    work_item, items = await owned_with_its_case(tx, work_item_id, etag, lent=True)
    work_item.require_unfinished()
    if predecessor_id in work_item.predecessor_ids:
        fact = work_item.depend([each for each in work_item.predecessor_ids if each != predecessor_id])
        await _wait(tx, clock, work_item, items, await save(tx, store.UPDATE_WORK_ITEM, work_item, fact))
    return work_item


async def _wait(
    tx: Transaction, clock: PromiseClock, work_item: WorkItem, items: Sequence[WorkItem], cause: UUID
) -> None:
    bound = earliest(work_item, {each.id: each for each in items})
    if forecast := work_item.wait_until(bound):
        cause = await save(tx, store.UPDATE_WORK_ITEM, work_item, forecast, caused_by=cause)
    else:
        await write(tx, store.UPDATE_WORK_ITEM, work_item)
    await tell(tx, clock, items, {work_item.id: cause})
    await clocks_stand_still(tx, items, cause)


async def owned_with_its_case(
    tx: Transaction, work_item_id: UUID, etag: str, *, lent: bool = False
) -> tuple[WorkItem, Sequence[WorkItem]]:
    """A work item of the caller's department, and all of its case with it, locked.

    `lent`: also for whoever answers for the case.
    """
    work_item, items = await with_its_case(tx, work_item_id)
    cases = await store.CASES_BY_ID.all(tx, ids=[work_item.case_id]) if lent else []
    tx.require_owner(work_item, *cases)
    etags.match(etag, work_item.name, work_item.version)
    return work_item, items


async def unattended_with_its_case(
    tx: Transaction, work_item_id: UUID, etag: str
) -> tuple[WorkItem, Sequence[WorkItem]]:
    """As above, also for whoever answers for the case, as long as nobody has begun it or been given it.

    Not when a customer waits for a promise on it: they could finish it then, and so keep that of another.
    """
    work_item, items = await with_its_case(tx, work_item_id)
    promised = await store.LOCK_PROMISES_AWAITED.all(tx, work_item_ids=[work_item_id])
    lent = work_item.unattended and not promised
    cases = await store.CASES_BY_ID.all(tx, ids=[work_item.case_id]) if lent else []
    tx.require_owner(work_item, *cases)
    etags.match(etag, work_item.name, work_item.version)
    return work_item, items


async def with_its_case(tx: Transaction, work_item_id: UUID) -> tuple[WorkItem, Sequence[WorkItem]]:
    """A work item and all of its case with it, locked, whoever asks."""
    case = await store.LOCK_CASE_OF_WORK_ITEM.maybe(tx, id=work_item_id)
    if case is None:
        raise NotFound(WORK_ITEM.format(work_item_id))
    items = await store.LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=case["id"])
    return next(item for item in items if item.id == work_item_id), items


async def tell(
    tx: Transaction,
    clock: PromiseClock,
    items: Sequence[WorkItem],
    causes: Mapping[UUID, UUID],
    but: UUID | None = None,
) -> None:
    """Move the forecasts that follow from those of the work in `causes`, whose facts these are, and promises.

    `but` is work that is over: nothing is to be compared with what was expected of it.
    """
    because = dict(causes)
    for item, fact, cause_id in move(items, causes.keys()):
        because[item.id] = await save(tx, store.UPDATE_WORK_ITEM, item, fact, caused_by=because[cause_id])
    await _compare(tx, clock, items, because, but)


async def tell_blocked(
    tx: Transaction, clock: PromiseClock, items: Sequence[WorkItem], work_item: WorkItem, cause: UUID
) -> None:
    """Compare promises with work that is, or is no more, blocked, and with all that waits for it."""
    await _compare(tx, clock, items, {work_item.id: cause})
    await clocks_stand_still(tx, items, cause)


async def _compare(
    tx: Transaction,
    clock: PromiseClock,
    items: Sequence[WorkItem],
    because: dict[UUID, UUID],
    but: UUID | None = None,
) -> None:
    """Hold what waits for work that cannot go on, and compare the promises on that, too."""
    cause = next(iter(because.values()))
    for item in hold(items):
        await write(tx, store.UPDATE_WORK_ITEM, item)
        because.setdefault(item.id, cause)
    because.pop(but, None)  # type: ignore[arg-type]  # None is in no mapping of ids
    if because:
        await _compare_promises(tx, {item.id: item for item in items}, because, clock)


async def _compare_promises(
    tx: Transaction, items: Mapping[UUID, WorkItem], because: Mapping[UUID, UUID], clock: PromiseClock
) -> None:
    """Compare the promises that rest on work with it, because of a fact about it or what it waits for."""
    for promise in await store.LOCK_PROMISES_AWAITED.all(tx, work_item_ids=list(because)):
        work_item = items[promise.work_item_id]  # type: ignore[index]  # it rests on one of them
        facts = compared(promise, work_item, clock, tx.now)
        for fact, version in facts:
            cause = tx.record(fact, version=version, caused_by=because[work_item.id])
        if facts:
            await write(tx, store.UPDATE_PROMISE, promise)
            await keep_promise_clocks(tx, promise, cause)
