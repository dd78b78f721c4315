"""Asking somebody with more authority, level by level, until one takes it or it is settled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.domain.case import Case, CaseState
from cases.domain.escalation import SAID_BY_PEOPLE, Escalation, EscalationReason, EscalationState, Level
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.names import AGENT, CASE, ESCALATION, PROMISE
from cases.store import escalations as store
from cases.store.clocks import CLOCK, LOCK_CLOCK
from cases.store.tables import AGENT as AGENT_BY_ID
from cases.store.tables import CASE as CASE_BY_ID
from cases.store.tables import LOCK_CASE, LOCK_PROMISE
from cases.store.tables import PROMISE as PROMISE_BY_ID
from cases.usecases.case_link import locked_groups
from cases.usecases.escalation_levels import About, next_of
from cases.usecases.make_promise import MakePromise, make_promise
from cases.usecases.promise import kept
from chassis import ids
from chassis.api import etags
from chassis.api.actors import actor_name
from chassis.api.entities import found, owned, save
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.telemetry.metrics import Snapshot
from chassis.work.timers import Timer

LEVEL_TIMER = "escalation-level"
ANSWER = "supervisor-answer"  # what a customer is promised who asked for it
OPEN = Snapshot(
    "rapport_escalations_open",
    "Escalations that nobody has taken: asked, or overdue, when nobody is left to be asked. The same in every"
    " replica.",
    ("state",),
)


async def count_open(db: Database) -> None:
    """Tell how many nobody has taken."""
    row = await store.COUNT_OPEN.one(db, now=db.clock.now())
    OPEN.replace({(state,): row[state] for state in ("asked", "overdue")})


async def create_escalation(
    tx: Transaction,
    clock: PromiseClock,
    *,
    case_id: UUID | None,
    promise_id: UUID | None,
    reason: EscalationReason,
) -> Escalation:
    """Ask the first above who owns an open case, or a promise that is on none.

    NotFound; FailedPrecondition CASE_RESOLVED, CASE_MERGED, CASE_MISMATCH, PROMISE_ENDED, NOBODY_ABOVE;
    AlreadyExists ESCALATION_EXISTS.
    """
    if case_id:
        whole: Case | Promise = await _open_case(tx, case_id)
    else:
        whole = await _awaited_promise(tx, promise_id)
    about = About(whole, reason, promise_id)
    for other in await _open(tx, about):
        told = f"{other.assignee} is asked to take {whole.name} already: {other.name}."
        raise AlreadyExists("ESCALATION_EXISTS", told, {"resource": whole.name, "escalation": other.name})
    level = await next_of(tx, about, whole.department_id, ())
    if level is None:
        told = f"Nobody is above the owner of {whole.name}: {whole.department} has nobody on its path."
        raise FailedPrecondition("NOBODY_ABOVE", told, {"resource": whole.name})
    answer_id = None
    if reason is EscalationReason.CUSTOMER_ASKED:
        answer_id = (await make_promise(tx, clock, promise=_answer(about, level))).id
    return await _start(tx, about, level, answer_id)


async def _open_case(tx: Transaction, case_id: UUID) -> Case:
    case = await owned(tx, CASE, LOCK_CASE, case_id)
    case.require_open()
    return case


async def _awaited_promise(tx: Transaction, promise_id: UUID | None) -> Promise:
    promise = await owned(tx, PROMISE, LOCK_PROMISE, promise_id)
    promise.require_awaited()
    if promise.case:
        told = f"{promise.name} is on {promise.case}: escalate that."
        raise FailedPrecondition("CASE_MISMATCH", told, {"resource": promise.name, "case": promise.case})
    return promise


async def clock_is_up(tx: Transaction, clock_id: UUID, reason: EscalationReason) -> None:
    """The time of a clock is up, or soon: ask for its case, or for its promise if that is on none.

    Unless what it waits for is done by now. A resolved case only for what was promised: it still waits.
    """
    seen = await CLOCK.maybe(tx, id=clock_id)
    if seen is None:
        return
    whole = await _seen_to(tx, seen.case_id, seen.promise_id)
    clock = await LOCK_CLOCK.one(tx, id=clock_id)  # whoever fulfils it comes after this
    is_over = isinstance(whole, Case) and whole.state is not CaseState.OPEN and not clock.promise_id
    if not clock.fulfill_time and not is_over:
        await _start_once(tx, About(whole, reason, None if seen.case_id else seen.promise_id, clock_id))


async def promise_broken(tx: Transaction, promise_id: UUID) -> None:
    """A promise was broken, unless imports tell so of the past, and neither kept after all nor taken back.

    Ask somebody to take its case, or it if it is on none. A resolved case too: who resolved it did not know,
    and the customer still waits.
    """
    seen = await PROMISE_BY_ID.maybe(tx, id=promise_id)
    if seen is None:
        return
    whole = await _seen_to(tx, seen.case_id, promise_id)
    promise = await LOCK_PROMISE.one(tx, id=promise_id)  # whoever keeps it comes after this
    if promise.was_broken_here:
        await _start_once(tx, About(whole, EscalationReason.PROMISE_BROKEN, promise_id))


async def _seen_to(tx: Transaction, case_id: UUID | None, promise_id: UUID | None) -> Case | Promise:
    """The case with which one is read and settled, itself or that into which it was merged; else the promise.

    Locked, with all that are settled with it.
    """
    if case_id is None:
        return await LOCK_PROMISE.one(tx, id=promise_id)
    cases = await locked_groups(tx, [case_id])
    return cases[cases[case_id].survivor_id or case_id]


async def take_escalation(tx: Transaction, *, escalation_id: UUID, etag: str) -> Escalation:
    """Whoever calls sees to it: who was asked, wherever they work, or others of its department.

    FailedPrecondition ESCALATION_ENDED; PermissionDenied NOT_OWNER for all others.
    """
    escalation = await found(tx, ESCALATION, store.LOCK_ESCALATION, escalation_id)
    taker = actor_name(tx.call.principal.subject, tx.db.service)
    asked = [await AGENT_BY_ID.one(tx, id=AGENT.ids(taker)[0])] if escalation.was_asked(taker) else []
    tx.require_owner(escalation, *asked)
    if etag:
        etags.match(etag, escalation.name, escalation.version)
    await _end(tx, escalation, escalation.take(taker, tx.now))
    return escalation


async def next_level(tx: Transaction, timer: Timer) -> None:
    """Nobody took it in time: ask the next one. Where there is none, the last one stays asked."""
    escalation = await store.LOCK_ESCALATION.maybe(tx, id=UUID(timer.key))
    if escalation is None or escalation.state is not EscalationState.OPEN or escalation.due_time > tx.now:
        return
    whole: Case | Promise
    if escalation.case_id:
        whole = await CASE_BY_ID.one(tx, id=escalation.case_id)
    else:
        whole = await PROMISE_BY_ID.one(tx, id=escalation.promise_id)
    about = About(whole, escalation.reason)
    if level := await next_of(tx, about, escalation.department_id, escalation.agents):
        await save(tx, store.UPDATE_ESCALATION, escalation, escalation.escalate(level))
        await tx.schedule(LEVEL_TIMER, str(escalation.id), escalation.due_time)


async def escalation_settled(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """A case, which is locked, is resolved: nobody is asked any more to take it."""
    for escalation in await store.OPEN_OF_CASE.all(tx, case_id=case.id):
        await _end(tx, escalation, escalation.cancel(tx.now), caused_by)


async def escalation_moved(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """A case, which is locked, has another owner: who was asked has taken it, for anybody else it is new."""
    for escalation in await store.OPEN_OF_CASE.all(tx, case_id=case.id):
        taken = escalation.was_asked(case.owner)
        fact = escalation.take(case.owner, tx.now) if taken else escalation.cancel(tx.now)
        await _end(tx, escalation, fact, caused_by)


async def promise_settled(tx: Transaction, promise_id: UUID) -> None:
    """A promise was kept after all, or taken back: nobody is asked any more for having broken it."""
    if promise := await PROMISE_BY_ID.maybe(tx, id=promise_id):
        await _look_again(tx, promise.case_id, promise_id, None)


async def clock_settled(tx: Transaction, clock_id: UUID) -> None:
    """What a clock waited for was done: nobody is asked any more for that."""
    if clock := await CLOCK.maybe(tx, id=clock_id):
        await _look_again(tx, clock.case_id, clock.promise_id, clock_id)


async def _look_again(
    tx: Transaction, case_id: UUID | None, promise_id: UUID | None, clock_id: UUID | None
) -> None:
    """End what was asked for because something went wrong, unless more did meanwhile and is not settled.

    Only the first asks for somebody: who takes the case sees to all of it.
    """
    about = {"case_id": case_id, "promise_id": promise_id, "clock_id": clock_id}
    if not await store.SOME_OPEN_ABOUT.all(tx, **about):
        return
    await _seen_to(tx, case_id, promise_id)
    for escalation in await store.OPEN_ABOUT.all(tx, **about):
        is_mine = promise_id is not None and escalation.promise_id == promise_id
        if escalation.reason in SAID_BY_PEOPLE and (clock_id or not is_mine):
            continue
        of = {name: getattr(escalation, name) for name in about}
        if not (await store.STILL_WRONG.one(tx, **of, broken_id=escalation.broken_id))["wrong"]:
            await _end(tx, escalation, escalation.cancel(tx.now))


async def keep_answers(
    tx: Transaction, case_ids: Sequence[UUID], about_id: UUID, agent: str, at: datetime
) -> None:
    """Somebody spoke with a customer then, of cases or of one promise: that they would was promised."""
    of = {"case_ids": list(case_ids), "about_id": about_id}
    for promise in await store.LOCK_ANSWERS.all(tx, **of, agent=agent, at=at):
        if promise.awaited:
            await kept(tx, promise, at, agent)


async def _start_once(tx: Transaction, about: About) -> None:
    if await _open(tx, about):
        return
    if level := await next_of(tx, about, about.whole.department_id, ()):
        await _start(tx, about, level, None)


async def _open(tx: Transaction, about: About) -> Sequence[Escalation]:
    """Those that are open about the case or the promise, which is locked: several if cases were merged."""
    if about.case_id:
        return await store.OPEN_OF_CASE.all(tx, case_id=about.case_id)
    return await store.OPEN_OF_PROMISE.all(tx, promise_id=about.promise_id)


async def _start(tx: Transaction, about: About, level: Level, answer_id: UUID | None) -> Escalation:
    escalation = Escalation(
        id=ids.uuid7(tx.now),
        customer_id=about.whole.customer_id,
        department_id=about.whole.department_id,
        reason=about.reason,
        create_time=tx.now,
        update_time=tx.now,
        due_time=level.due_time,
        case_id=about.case_id,
        promise_id=about.promise_id,
        clock_id=about.clock_id,
        answer_promise_id=answer_id,
    )
    started = escalation.start(level)
    await tx.defer(store.INSERT_ESCALATION, **values(escalation))
    tx.record(started, version=escalation.version)
    await tx.schedule(LEVEL_TIMER, str(escalation.id), escalation.due_time)
    return escalation


async def _end(tx: Transaction, escalation: Escalation, fact: Any, caused_by: UUID | None = None) -> None:
    await save(tx, store.UPDATE_ESCALATION, escalation, fact, caused_by=caused_by)
    await tx.cancel(LEVEL_TIMER, str(escalation.id))


def _answer(about: About, level: Level) -> MakePromise:
    return MakePromise(
        customer_id=about.whole.customer_id,
        department_id=about.whole.department_id,
        kind=ANSWER,
        reference="",
        display_name="",
        due_time=level.due_time,
        due_date=None,
        time_zone="",
        case_id=about.case_id,
        work_item_id=None,
        make_time=None,
        keep_time=None,
    )
