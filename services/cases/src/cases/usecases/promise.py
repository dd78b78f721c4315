"""Making, keeping, renegotiating and breaking promises."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from cases.domain.case import Case
from cases.domain.compare import Facts, compared
from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.domain.telling import Telling, tell
from cases.domain.work_item import WorkItem
from cases.store.cases import CASES_BY_ID
from cases.store.promises import (
    IMPORTED_ABOUT,
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
from chassis.errors import FailedPrecondition, NotFound, invalid

AT_RISK_TIMER = "promise-at-risk"
DUE_TIMER = "promise-due"


@dataclass(slots=True)
class MakePromise:
    """A promise to make. Of past ones: `keep_time`, when kept, and `import_key`, where it comes from."""

    customer_id: UUID
    department_id: str
    kind: str
    due: Due
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
    for promise in known.values():
        _require_owner(tx, promise, foundations)
    return [promise if promise.id in new else known[promise.import_key] for promise in promises], len(new)


async def check_promises(tx: Transaction, clock: PromiseClock, commands: Sequence[MakePromise]) -> int:
    """Refuse what `make_promises` would refuse, and make none. How many it would make."""
    foundations = await _foundations(tx, commands)
    for command in commands:
        _make(tx, clock, command, foundations)
    keys = [command.import_key for command in commands if command.import_key]
    known = await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=keys)
    for promise in known:
        _require_owner(tx, promise, foundations)
    return len(commands) - len(known)


async def find_overlap(tx: Transaction, commands: Sequence[MakePromise]) -> None:
    """Give commands with a reference the import key under which another source brought what they are.

    A command whose own key is known keeps it, and so do those of one source about the same: they are as many.
    """
    keys = [command.import_key for command in commands]
    known = {p.import_key for p in await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=keys)}
    asked = [command for command in commands if command.reference and command.import_key not in known]
    own = {_source(command) for command in commands}
    others: dict[Hashable, list[str | None]] = defaultdict(list)
    for other in await IMPORTED_ABOUT.all(tx, references=list({command.reference for command in asked})):
        if _source(other) not in own:
            others[_about(other)].append(other.import_key)
    for command in asked:
        if others[_about(command)]:
            command.import_key = others[_about(command)].pop(0)


async def renegotiate_promise(
    tx: Transaction,
    clock: PromiseClock,
    promise_id: UUID,
    *,
    due_time: datetime | None,
    due_date: date | None,
    reason_code: str,
    etag: str,
) -> Promise:
    """Replace a promise after a person spoke with the customer. Returns the promise that ended.

    InvalidArgument INVALID_TIME when the new date is not of the kind that was promised, or is over.
    """
    work_item = await LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await _own(tx, promise_id, etag, lent=True)
    due = _new_due(promise, due_time, due_date, tx.now)
    _break_when_over(tx, clock, promise)
    successor, renegotiated = promise.renegotiate(ids.uuid7(tx.now), due, tx.now, reason_code)
    facts: Facts = [(successor.made(), successor.version)]
    if work_item:
        facts += compared(successor, work_item, clock, tx.now)
    renegotiated_id = tx.record(renegotiated, version=promise.version)
    await INSERT_PROMISE.run(tx, **values(successor))
    await tx.defer(UPDATE_PROMISE, **values(promise))
    await _announce(tx, clock, successor, facts, caused_by=renegotiated_id)
    return promise


def _about(promised: MakePromise | Promise) -> Hashable:
    return promised.customer_id, promised.department_id, promised.kind, promised.reference


def _source(promised: MakePromise | Promise) -> str:
    return (promised.import_key or "").rpartition(":")[0]


async def customer_was_told(tx: Transaction, clock: PromiseClock, promise_id: UUID, telling: Telling) -> None:
    """Move a promise to the date that a notice told the customer, as of when they were told: see `tell`."""
    work_item = await LOCK_WORK_ITEM_OF_PROMISE.maybe(tx, promise_id=promise_id)
    promise = await _lock(tx, promise_id)
    succession = tell(promise, telling, ids.uuid7(tx.now), clock.broken_at(promise), tx.now)
    if succession is None:
        return
    successor, cause = succession.successor, None
    for about, version, fact in succession.facts:
        cause = tx.record(fact, version=version, caused_by=cause if about is successor else None)
    # A newer forecast may have come in while the customer was told about the one before.
    facts = compared(successor, work_item, clock, tx.now) if work_item else []
    await INSERT_PROMISE.run(tx, **values(successor))
    await tx.defer(UPDATE_PROMISE, **values(promise))
    await _announce(tx, clock, successor, facts, caused_by=cause)


async def keep_promise(
    tx: Transaction, promise_id: UUID, *, keep_time: datetime | None, etag: str
) -> Promise:
    """Mark a promise as done, now unless told when."""
    promise = await _own(tx, promise_id, etag)
    await _save(tx, promise, promise.keep(keep_time or tx.now, tx.now))
    return promise


async def withdraw_promise(
    tx: Transaction, clock: PromiseClock, promise_id: UUID, *, reason_code: str, etag: str
) -> Promise:
    """Take a promise back."""
    promise = await _own(tx, promise_id, etag, lent=True)
    _break_when_over(tx, clock, promise)
    await _save(tx, promise, promise.withdraw(reason_code, tx.now))
    return promise


def _break_when_over(tx: Transaction, clock: PromiseClock, promise: Promise) -> None:
    """Whether a promise was broken is not up to who comes first, a person or the timer."""
    if clock.broken_at(promise) <= tx.now and (broken := promise.break_()):
        tx.record(broken, version=promise.version)


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
    due = command.due
    promise = Promise(
        id=ids.uuid7(tx.now),
        customer_id=command.customer_id,
        department_id=command.department_id,
        kind=command.kind,
        due_time=due.time,
        # Of the past nobody may know when it was promised; before it was due, and before it was done.
        make_time=command.make_time or min(tx.now, due.time, command.keep_time or due.time),
        due_date=due.day,
        time_zone=due.time_zone,
        case_id=command.case_id,
        work_item_id=command.work_item_id,
        reference=command.reference,
        import_key=command.import_key,
    )
    _require_owner(tx, promise, foundations)
    facts: Facts = [(promise.made(), promise.version)]
    if command.keep_time:
        facts.append((promise.keep(command.keep_time, tx.now), promise.version))
    elif clock.broken_at(promise) <= tx.now:
        facts.append((promise.break_(), promise.version))
    elif command.work_item_id:
        facts += compared(promise, foundations.work_items[command.work_item_id], clock, tx.now)
    return promise, facts


def _require_owner(tx: Transaction, promise: Promise, foundations: _Foundations) -> None:
    """Whoever answers for the case may promise what others keep: Alice takes an order for delivery."""
    case = foundations.cases.get(promise.case_id) if promise.case_id else None
    tx.require_owner(promise, *([case] if case else []))


def _new_due(promise: Promise, due_time: datetime | None, due_date: date | None, now: datetime) -> Due:
    """A new date of the kind that was promised; for a day, in the zone that was pinned then."""
    if promise.due_date:
        due = Due.of_day(due_date, promise.time_zone) if due_date else None
        if due is None or due.time <= now:
            allowed = f"must be a day that is not over in {promise.time_zone}, because a day was promised"
            raise invalid("due_date", "INVALID_TIME", allowed)
        return due
    if due_time is None:
        raise invalid("due_time", "INVALID_TIME", "must be given, because a moment was promised")
    return Due(due_time)


async def _announce(
    tx: Transaction, clock: PromiseClock, promise: Promise, facts: Facts, caused_by: UUID | None = None
) -> None:
    """Record the facts of a new promise and set its timers. They are ignored when it has ended before."""
    for fact, version in facts:
        caused_by = tx.record(fact, version=version, caused_by=caused_by)
    if promise.live:
        await tx.schedule(AT_RISK_TIMER, str(promise.id), clock.at_risk_at(promise))
        await tx.schedule(DUE_TIMER, str(promise.id), clock.broken_at(promise))


async def _own(tx: Transaction, promise_id: UUID, etag: str, *, lent: bool = False) -> Promise:
    """The promise, locked. `lent`: whoever answers for its case may too, for they speak with the customer."""
    promise = await _lock(tx, promise_id)
    cases = await CASES_BY_ID.all(tx, ids=[promise.case_id]) if lent and promise.case_id else []
    tx.require_owner(promise, *cases)
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
