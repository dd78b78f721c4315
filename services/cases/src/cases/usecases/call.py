"""Calls to customers: what becomes of them, and when they are tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from prometheus_client import Counter

from cases.domain.call import CALL_LATER, NEVER_OPEN, Call, CallOutcome, is_to_be_told
from cases.domain.case import Case
from cases.domain.contact import Contact
from cases.domain.delay_notification import Channel
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.domain.work_item import WorkItem
from cases.names import AGENT, CUSTOMER, IDENTIFIER, WORK_ITEM
from cases.store import calls as store
from cases.store import tables
from cases.usecases.calendar import working_hours
from cases.usecases.case_link import locked_groups
from cases.usecases.contact import case_contacted
from cases.usecases.dependencies import owned_with_its_case, with_its_case
from cases.usecases.handing import block, hand_over, unblock
from cases.usecases.promise import notified_by_person
from cases.usecases.work_item import end
from chassis.api.actors import actor_name
from chassis.api.entities import found, save
from chassis.db.aliases import groups_of
from chassis.db.database import Database
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, invalid
from chassis.telemetry.metrics import Snapshot
from chassis.work.timers import Timer

CALL_TIMER = "call-later"
OUTCOMES = Counter("rapport_call_outcomes", "What became of attempts to call customers.", ["outcome"])
for _each in CallOutcome:
    OUTCOMES.labels(_each.lower())  # told from the start, so that a first one is seen
UNDER_WAY = Snapshot(
    "rapport_calls",
    "Calls to customers that are not over: waiting for somebody to call, for a later time, and of both those "
    "that should have been made by now. The same in every replica.",
    ("state",),
)


@dataclass(frozen=True, slots=True)
class Calling:
    """How often a customer is called, and how long after an attempt, in working hours, there is another."""

    attempts: int
    pause: timedelta


async def count_calls(db: Database) -> None:
    """Tell how many calls wait."""
    counted = await store.COUNT_CALLS.one(db, now=db.clock.now())
    UNDER_WAY.replace({(state,): counted[state] for state in ("waiting", "later", "late")})


async def record_call_outcome(
    tx: Transaction,
    clock: PromiseClock,
    calling: Calling,
    *,
    work_item_id: UUID,
    outcome: CallOutcome,
    identifier: str,
    call_time: datetime | None,
    etag: str,
) -> WorkItem:
    """Say what became of a call, and see to what follows.

    InvalidArgument REQUIRED for a call back without a time; FailedPrecondition NOT_A_CALL,
    WORK_ITEM_FINISHED, CUSTOMER_MISMATCH for the number of somebody else.
    """
    if outcome is CallOutcome.CALL_BACK and call_time is None:
        raise invalid("call_time", "REQUIRED", "must be given: when do they want to be called")
    of = await found(tx, WORK_ITEM, tables.WORK_ITEM, work_item_id)
    await locked_groups(tx, [of.case_id])  # before its work: who is reached is reached about all of them
    work_item, items = await owned_with_its_case(tx, work_item_id, etag)
    tx.touch(work_item.customer)
    call = work_item.require_call()
    if identifier:
        await require_theirs(tx, work_item, IDENTIFIER.parse(identifier, "identifier")[0])
    if work_item.block_time:
        await unblock(tx, clock, work_item, items)
    call.attempt(outcome, actor_name(tx.call.principal.subject, tx.db.service), tx.now)
    goes_to_owner = call.goes_to_owner(any_number=bool(identifier), most=calling.attempts)
    call.call_time = None
    if outcome.comes_back and not goes_to_owner:
        call.call_time = call_time or await _next_time(tx, calling, work_item.department_id)
        goes_to_owner = call.call_time is None and call.goes_to_owner_as(NEVER_OPEN)
    called = work_item.called(call, identifier)
    called_id = await save(tx, tables.UPDATE_WORK_ITEM, work_item, called)
    tx.after_commit(OUTCOMES.labels(outcome.lower()).inc)
    if outcome is CallOutcome.REACHED:
        await _reached(tx, clock, work_item, call, called_id)
    if outcome.ends:
        await end(tx, clock, work_item, items, tx.now, called_id)
        return work_item
    if goes_to_owner:
        await _to_owner(tx, clock, work_item, items, call.owner_reason_code, called_id)
    elif call.call_time:
        await wait(tx, clock, work_item, items, call.call_time, called_id)
    return work_item


async def require_theirs(tx: Transaction, about: Case | WorkItem, customer_id: UUID) -> None:
    """Refuse the name of another customer, by whichever of their names (`CUSTOMER_MISMATCH`)."""
    whose = (await groups_of(tx, {about.customer_id, customer_id})).survivors
    if whose.get(about.customer_id, about.customer_id) != whose.get(customer_id, customer_id):
        told = f"{about.name} is of another customer: name what is of theirs, or leave it out."
        other = CUSTOMER.format(customer_id)
        raise FailedPrecondition("CUSTOMER_MISMATCH", told, {"resource": about.name, "customer": other})


async def _next_time(tx: Transaction, calling: Calling, department_id: str) -> datetime | None:
    """When there is another attempt: after so much of the hours in which the department works, if it will."""
    try:
        return (await working_hours(tx, department_id)).add(tx.now, calling.pause)
    except FailedPrecondition:  # CALENDAR_CLOSED
        return None


async def _reached(
    tx: Transaction, clock: PromiseClock, work_item: WorkItem, call: Call, called_id: UUID
) -> None:
    """A person spoke with the customer: it answers what they said, and tells them what they are to know."""
    promise = await tables.LOCK_PROMISE.maybe(tx, id=call.promise_id) if call.promise_id else None
    if promise and is_to_be_told(promise):
        await notified_by_person(tx, clock, promise, Channel.VOICE, called_id)
    agent = call.attempts[-1].caller if AGENT.match(call.attempts[-1].caller) else ""
    await case_contacted(tx, work_item.case_id, Contact(tx.now, inbound=False, agent=agent))


async def wait(
    tx: Transaction,
    clock: PromiseClock,
    work_item: WorkItem,
    items: Sequence[WorkItem],
    until: datetime,
    cause: UUID,
) -> None:
    """Out of the queue until then; whoever is there by then is given it, but for who owns the case."""
    is_owners = work_item.call is not None and work_item.call.owner_reason_code
    if not is_owners and (put_back := work_item.put_back()):
        await save(tx, tables.UPDATE_WORK_ITEM, work_item, put_back, caused_by=cause)
    await block(tx, clock, work_item, items, CALL_LATER, cause)
    await tx.schedule(CALL_TIMER, str(work_item.id), until)


async def call_again(tx: Transaction, clock: PromiseClock, timer: Timer) -> None:
    """It is time to call again, unless somebody did, or another time was agreed."""
    work_item, items = await with_its_case(tx, UUID(timer.key))
    call = work_item.call
    if call and call.call_time and call.call_time <= tx.now and work_item.block_reason_code == CALL_LATER:
        await unblock(tx, clock, work_item, items)


async def _to_owner(
    tx: Transaction,
    clock: PromiseClock,
    work_item: WorkItem,
    items: Sequence[WorkItem],
    why: str,
    cause: UUID,
) -> None:
    """Who owns the case has it, at once, and nobody after them."""
    case = await tables.CASE.one(tx, id=work_item.case_id)
    if case.survivor_id:
        case = await tables.CASE.one(tx, id=case.survivor_id)
    owner = await tables.AGENT.one(tx, id=case.owner_id)
    if owner.department_id != work_item.department_id:
        await hand_over(tx, clock, work_item, items, owner.department_id, why, caused_by=cause)
    if not owner.inactive and work_item.assignee_id != owner.id:
        assigned = work_item.assign(owner.id)
        await save(tx, tables.UPDATE_WORK_ITEM, work_item, assigned, caused_by=cause)


async def still_to_be_told(on: Executor, promise: Promise) -> bool:
    """As `is_to_be_told`; of one that moved untold, while its successor stands and they know no more."""
    if not promise.moved_untold:
        return is_to_be_told(promise)
    successor = await tables.PROMISE.one(on, id=promise.successor_id)
    return successor.awaited and successor.delay_notify_time is None


async def end_moot_call(tx: Transaction, clock: PromiseClock, promise_id: UUID) -> None:
    """What became of a promise leaves nothing to tell: nobody is called whom nobody has begun to call.

    Who has the call decides that themselves: they may be on the telephone. A call about more than that is
    made, and so is one of which the customer said when.
    """
    waiting = await store.OPEN_CALL_ABOUT.maybe(tx, promise_id=str(promise_id))
    if waiting is None:  # or about the one that it replaced
        promise_id = (await tables.PROMISE.one(tx, id=promise_id)).predecessor_id or promise_id
        waiting = await store.OPEN_CALL_ABOUT.maybe(tx, promise_id=str(promise_id))
    if waiting is None:
        return
    work_item, items = await with_its_case(tx, waiting.id)
    promise = await tables.LOCK_PROMISE.one(tx, id=promise_id)
    call = work_item.call
    is_moot = call is not None and call.is_moot_once_told and not await still_to_be_told(tx, promise)
    if work_item.finish_time is None and work_item.unattended and is_moot:
        await end(tx, clock, work_item, items, tx.now)
