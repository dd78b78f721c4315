"""Bringing cases to somebody with more authority, step by step, until one takes them."""

from datetime import timedelta
from uuid import UUID

from cases.domain.case import Case, CaseState
from cases.domain.escalation import (
    Escalation,
    EscalationReason,
    EscalationRung,
    EscalationState,
    Step,
    next_rung,
)
from cases.domain.promise import LIVE
from cases.domain.promise_clock import PromiseClock
from cases.names import CASE, ESCALATION
from cases.store import escalations as store
from cases.store.calendars import CALENDAR
from cases.store.managers import MANAGER
from cases.store.tables import AGENT, DEPARTMENT, LOCK_CASE, LOCK_PROMISE
from cases.store.tables import CASE as CASE_BY_ID
from cases.usecases.agent import FRONT_DESK
from cases.usecases.keeping import calendars
from cases.usecases.make_promise import MakePromise, make_promise
from cases.usecases.promise import kept
from chassis import ids
from chassis.api import etags
from chassis.api.actors import actor_name
from chassis.api.entities import found, owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.work.timers import Timer

STEP_TIMER = "escalation-step"
ALWAYS = "always"
MINUTES = 60  # that each has, unless the department says otherwise
ANSWER = "supervisor-answer"  # what a customer is promised who asked for it


async def create_escalation(
    tx: Transaction, clock: PromiseClock, *, case_id: UUID, reason: EscalationReason | None
) -> Escalation:
    """Bring an open case to the first above its owner.

    FailedPrecondition CASE_RESOLVED, CASE_MERGED, NOBODY_ABOVE; AlreadyExists CASE_ESCALATED.
    """
    case = await owned(tx, CASE, LOCK_CASE, case_id)
    case.require_open()
    if other := await store.OPEN_OF_CASE.maybe(tx, case_id=case_id):
        told = f"{case.name} is brought to {other.agent} already: {other.name}."
        raise AlreadyExists("CASE_ESCALATED", told, {"resource": case.name, "escalation": other.name})
    step = await _next(tx, case, None)
    if step is None:
        told = f"Nobody is above the owner of {case.name}: {case.department} names no lead and no head."
        raise FailedPrecondition("NOBODY_ABOVE", told, {"resource": case.name})
    reason = reason or EscalationReason.CUSTOMER_ASKED
    asked = reason is EscalationReason.CUSTOMER_ASKED
    promise_id = (await make_promise(tx, clock, promise=_promised(case, step))).id if asked else None
    return await _start(tx, case, reason, step, promise_id)


async def escalate_by_itself(tx: Transaction, case_id: UUID, reason: EscalationReason) -> None:
    """Bring a case to the first above its owner for what went wrong, unless it is brought to somebody."""
    case = await LOCK_CASE.maybe(tx, id=case_id)
    if (
        case is None
        or case.state is not CaseState.OPEN
        or await store.OPEN_OF_CASE.maybe(tx, case_id=case_id)
    ):
        return
    if step := await _next(tx, case, None):
        await _start(tx, case, reason, step, None)


async def _start(
    tx: Transaction, case: Case, reason: EscalationReason, step: Step, promise_id: UUID | None
) -> Escalation:
    escalation = Escalation(
        id=ids.uuid7(tx.now),
        case_id=case.id,
        customer_id=case.customer_id,
        department_id=case.department_id,
        reason=reason,
        agent_id=step.agent_id,
        due_time=step.due_time,
        create_time=tx.now,
        update_time=tx.now,
        promise_id=promise_id,
    )
    started = escalation.start(step)
    await tx.defer(store.INSERT_ESCALATION, **values(escalation))
    tx.record(started, version=escalation.version)
    await tx.schedule(STEP_TIMER, str(escalation.id), escalation.due_time)
    return escalation


async def take_escalation(tx: Transaction, *, escalation_id: UUID, etag: str) -> Escalation:
    """Whoever calls takes it, and what was promised is kept.

    Who was asked may, wherever they work, and others of its department. FailedPrecondition ESCALATION_ENDED;
    PermissionDenied NOT_OWNER for all others.
    """
    escalation = await found(tx, ESCALATION, store.LOCK_ESCALATION, escalation_id)
    taker = actor_name(tx.call.principal.subject, tx.db.service)
    asked = [await AGENT.one(tx, id=each) for each in escalation.agent_ids]
    tx.require_owner(escalation, *(each for each in asked if each.name == taker))
    if etag:
        etags.match(etag, escalation.name, escalation.version)
    taken = escalation.take(taker, tx.now)
    await save(tx, store.UPDATE_ESCALATION, escalation, taken)
    await tx.cancel(STEP_TIMER, str(escalation.id))
    promise = await LOCK_PROMISE.one(tx, id=escalation.promise_id) if escalation.promise_id else None
    if promise and promise.state in LIVE:
        await kept(tx, promise, tx.now)
    return escalation


async def next_step(tx: Transaction, timer: Timer) -> None:
    """Nobody took it in time: ask the next one. Where there is none, the last one stays asked."""
    escalation = await store.LOCK_ESCALATION.maybe(tx, id=UUID(timer.key))
    if escalation is None or escalation.state is not EscalationState.OPEN or escalation.due_time > tx.now:
        return
    case = await CASE_BY_ID.one(tx, id=escalation.case_id)
    if step := await _next(tx, case, escalation):
        await save(tx, store.UPDATE_ESCALATION, escalation, escalation.step(step))
        await tx.schedule(STEP_TIMER, str(escalation.id), escalation.due_time)


async def cancel_escalation(tx: Transaction, case: Case, caused_by: UUID) -> None:
    """The case, which is locked, is settled: nobody is asked any more."""
    if escalation := await store.OPEN_OF_CASE.maybe(tx, case_id=case.id):
        cancelled = escalation.cancel(tx.now)
        await save(tx, store.UPDATE_ESCALATION, escalation, cancelled, caused_by=caused_by)
        await tx.cancel(STEP_TIMER, str(escalation.id))


async def _next(tx: Transaction, case: Case, escalation: Escalation | None) -> Step | None:
    """Who is to be asked now, and until when they have, by the working hours of their own department."""
    department = await DEPARTMENT.maybe(tx, id=escalation.department_id if escalation else case.department_id)
    manager = await MANAGER.one(tx, customer_id=case.customer_id, front_desk=FRONT_DESK)
    ladder = [
        (EscalationRung.LEAD, department.lead_id if department else None),
        (EscalationRung.HEAD, department.head_id if department else None),
        (EscalationRung.RELATIONSHIP_MANAGER, manager["agent_id"]),
    ]
    passed = {case.owner_id, *(escalation.agent_ids if escalation else ())}
    after = escalation.rung if escalation else None
    while (following := next_rung(ladder, after, passed)) is not None:
        rung, agent_id = following
        agent = await AGENT.one(tx, id=agent_id)
        if not agent.inactive:
            minutes = timedelta(minutes=(department.escalation_minutes if department else 0) or MINUTES)
            theirs = await DEPARTMENT.maybe(tx, id=agent.department_id)
            calendar = await CALENDAR.one(tx, id=(theirs.calendar_id if theirs else None) or ALWAYS)
            hours = await calendars(tx.db).of(tx, calendar.id, calendar.version)
            return Step(rung, agent_id, tx.now, hours.add(tx.now, minutes))
        passed.add(agent_id)
    return None


def _promised(case: Case, step: Step) -> MakePromise:
    return MakePromise(
        customer_id=case.customer_id,
        department_id=case.department_id,
        kind=ANSWER,
        reference="",
        display_name="",
        due_time=step.due_time,
        due_date=None,
        time_zone="",
        case_id=case.id,
        work_item_id=None,
        make_time=None,
        keep_time=None,
    )
