"""Making, keeping, renegotiating and breaking promises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.domain.case import Case
from cases.domain.promise import Promise, PromiseClock
from cases.domain.work_item import WorkItem
from cases.store.cases import CASES_BY_ID
from cases.store.promises import (
    INSERT_NEW_PROMISES,
    INSERT_PROMISE,
    LOCK_PROMISE,
    PROMISES_BY_IMPORT_KEY,
    UPDATE_PROMISE,
)
from cases.store.work_items import LOCK_WORK_ITEM_OF_PROMISE, LOCK_WORK_ITEMS
from chassis import ids
from chassis.api import etags
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound

AT_RISK_TIMER = "promise-at-risk"
DUE_TIMER = "promise-due"
Facts = list[tuple[Any, int]]  # each with the promise's version after it


@dataclass(slots=True)
class MakePromise:
    """A promise to make. Of past ones: `keep_time`, when kept, and `import_key`, where it comes from."""

    customer_id: UUID
    department_id: str
    kind: str
    due_time: datetime
    reference: str = ""
    case_id: UUID | None = None
    work_item_id: UUID | None = None
    make_time: datetime | None = None
    keep_time: datetime | None = None
    import_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Foundations:
    """What promises rest on, by id."""

    cases: dict[UUID, Case]
    work_items: dict[UUID, WorkItem]


async def make_promise(tx: Transaction, clock: PromiseClock, command: MakePromise) -> Promise:
    """Make one promise."""
    foundations = await _foundations(tx, [command])
    promise, facts = _make(tx, clock, command, foundations)
    await tx.defer(INSERT_PROMISE, **values(promise))
    await _announce(tx, clock, promise, facts)
    return promise


async def make_promises(
    tx: Transaction, clock: PromiseClock, commands: Sequence[MakePromise]
) -> tuple[list[Promise], int]:
    """Make many promises, each import key once ever.

    Returns:
        The promises in the order of the commands, for a known import key the one made then; how many are new.

    """
    foundations = await _foundations(tx, commands)
    made = [_make(tx, clock, command, foundations) for command in commands]
    promises = [promise for promise, _ in made]
    new = {promise_id for (promise_id,) in await INSERT_NEW_PROMISES.rows(tx, promises)}
    for promise, facts in made:
        if promise.id in new:
            await _announce(tx, clock, promise, facts)
    keys = [promise.import_key for promise in promises if promise.id not in new]
    known = {p.import_key: p for p in await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=keys)} if keys else {}
    return [promise if promise.id in new else known[promise.import_key] for promise in promises], len(new)


async def check_promises(tx: Transaction, clock: PromiseClock, commands: Sequence[MakePromise]) -> None:
    """Refuse what `make_promises` would refuse, and make none."""
    foundations = await _foundations(tx, commands)
    for command in commands:
        _make(tx, clock, command, foundations)


async def renegotiate_promise(
    tx: Transaction, clock: PromiseClock, promise_id: UUID, *, due_time: datetime, reason_code: str, etag: str
) -> Promise:
    """Replace a promise after a person spoke with the customer. Returns the promise that ended."""
    work_item = await LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await _own(tx, promise_id, etag)
    await _renegotiate(tx, clock, promise, work_item, due_time, reason_code)
    return promise


async def customer_was_told(
    tx: Transaction,
    clock: PromiseClock,
    promise_id: UUID,
    *,
    due_time: datetime,
    reason_code: str,
    notice_id: UUID,
) -> None:
    """Replace a promise after a notice told the customer the new due time; an ended one stays as it is."""
    work_item = await LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await _lock(tx, promise_id)
    if promise.live:
        await _renegotiate(tx, clock, promise, work_item, due_time, reason_code, notice_id)


async def keep_promise(
    tx: Transaction, promise_id: UUID, *, keep_time: datetime | None, etag: str
) -> Promise:
    """Mark a promise as done, now unless told when."""
    promise = await _own(tx, promise_id, etag)
    await _save(tx, promise, promise.keep(keep_time or tx.now))
    return promise


async def withdraw_promise(tx: Transaction, promise_id: UUID, *, reason_code: str, etag: str) -> Promise:
    """Take a promise back."""
    promise = await _own(tx, promise_id, etag)
    await _save(tx, promise, promise.withdraw(reason_code))
    return promise


async def promise_due_soon(tx: Transaction, promise_id: UUID) -> None:
    """The due time is near: an open promise is at risk."""
    promise = await _lock(tx, promise_id)
    if at_risk := promise.due_soon():
        await _save(tx, promise, at_risk)


async def break_promise(tx: Transaction, promise_id: UUID) -> None:
    """Due time and grace are over: a promise that has not ended is broken."""
    promise = await _lock(tx, promise_id)
    if broken := promise.break_():
        await _save(tx, promise, broken)


async def _foundations(tx: Transaction, commands: Iterable[MakePromise]) -> _Foundations:
    """Check what the promises are about, and lock the work they rest on so that its forecast stands still."""
    about = [command for command in commands if command.case_id]
    if not about:
        return _Foundations({}, {})
    case_ids = {command.case_id for command in about}
    cases = {case.id: case for case in await CASES_BY_ID.all(tx, ids=list(case_ids))}
    work_item_ids = {command.work_item_id for command in about if command.work_item_id}
    locked = await LOCK_WORK_ITEMS.all(tx, ids=list(work_item_ids)) if work_item_ids else []
    work_items = {work_item.id: work_item for work_item in locked}
    for command in about:
        case = cases.get(command.case_id) if command.case_id else None
        if case is None:
            raise NotFound(f"cases/{command.case_id}")
        if case.customer_id != command.customer_id:
            raise FailedPrecondition(
                "CUSTOMER_MISMATCH",
                f"cases/{command.case_id} is of another customer: promise to the case's customer.",
                {"case": f"cases/{command.case_id}", "customer": f"customers/{command.customer_id}"},
            )
        if command.work_item_id:
            work_item = work_items.get(command.work_item_id)
            if work_item is None or work_item.case_id != command.case_id:
                raise NotFound(f"cases/{command.case_id}/workItems/{command.work_item_id}")
            if command.keep_time is None:
                work_item.require_unfinished()
    return _Foundations(cases, work_items)


def _make(
    tx: Transaction, clock: PromiseClock, command: MakePromise, foundations: _Foundations
) -> tuple[Promise, Facts]:
    """A new promise as it stands now, and its facts so far: a past one has been kept or broken since."""
    promise = Promise(
        id=ids.uuid7(tx.now),
        customer_id=command.customer_id,
        department_id=command.department_id,
        kind=command.kind,
        due_time=command.due_time,
        make_time=command.make_time or tx.now,
        case_id=command.case_id,
        work_item_id=command.work_item_id,
        reference=command.reference,
        import_key=command.import_key,
    )
    # Whoever answers for the case may promise what others have to keep: Alice takes an order for delivery.
    tx.require_owner(promise, *([foundations.cases[command.case_id]] if command.case_id else []))
    facts: Facts = [(promise.made(), promise.version)]
    later: Any = None
    if command.keep_time:
        later = promise.keep(command.keep_time)
    elif clock.broken_at(promise) <= tx.now:
        later = promise.break_()
    elif command.work_item_id:
        later = _compare(promise, foundations.work_items[command.work_item_id])
    if later:
        facts.append((later, promise.version))
    return promise, facts


async def _renegotiate(
    tx: Transaction,
    clock: PromiseClock,
    promise: Promise,
    work_item: WorkItem | None,
    due_time: datetime,
    reason_code: str,
    notice_id: UUID | None = None,
) -> None:
    successor, renegotiated = promise.renegotiate(ids.uuid7(tx.now), due_time, tx.now, reason_code, notice_id)
    renegotiated_id = tx.record(renegotiated, version=promise.version)
    facts: Facts = [(successor.made(), successor.version)]
    # A newer forecast may have come in while the customer was told about the one before.
    if work_item and (at_risk := _compare(successor, work_item)):
        facts.append((at_risk, successor.version))
    await INSERT_PROMISE.run(tx, **values(successor))
    await tx.defer(UPDATE_PROMISE, **values(promise))
    await _announce(tx, clock, successor, facts, caused_by=renegotiated_id)


def _compare(promise: Promise, work_item: WorkItem) -> Any:
    """What a new promise is told by the forecast of its work."""
    if work_item.forecast_finish_time is None:
        return None
    return promise.expect(work_item.forecast_finish_time, work_item.forecast_reason_code)


async def _announce(
    tx: Transaction, clock: PromiseClock, promise: Promise, facts: Facts, caused_by: UUID | None = None
) -> None:
    """Record the facts of a new promise and set its timers. They are ignored when it has ended before."""
    for fact, version in facts:
        caused_by = tx.record(fact, version=version, caused_by=caused_by)
    if promise.live:
        if clock.at_risk_at(promise) > tx.now:
            await tx.schedule(AT_RISK_TIMER, str(promise.id), clock.at_risk_at(promise))
        await tx.schedule(DUE_TIMER, str(promise.id), clock.broken_at(promise))


async def _own(tx: Transaction, promise_id: UUID, etag: str) -> Promise:
    promise = await _lock(tx, promise_id)
    tx.require_owner(promise)
    etags.match(etag, promise.version)
    return promise


async def _lock(tx: Transaction, promise_id: UUID) -> Promise:
    promise = await LOCK_PROMISE.maybe(tx, id=promise_id)
    if promise is None:
        raise NotFound(f"promises/{promise_id}")
    return promise


async def _save(tx: Transaction, promise: Promise, fact: Any) -> None:
    await tx.defer(UPDATE_PROMISE, **values(promise))
    tx.record(fact, version=promise.version)
