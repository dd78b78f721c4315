"""Requesting notices, keeping what becomes of them, and taking them back."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from chassis import ids, work
from chassis.api.entities import found, write
from chassis.auth.permissions import require_one_of
from chassis.db.aliases import groups_of, lock_person
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, ResourceExhausted, Violation
from chassis.facts import Decision, Outcome, fact_of
from notifications.domain.call_request import call_instead
from notifications.domain.calling import told_uncalled
from notifications.domain.facts import NoticeRequested
from notifications.domain.notice import Notice
from notifications.domain.policy import LIFETIME, NoticePolicy
from notifications.domain.rank import rank_of
from notifications.domain.strategy import DeliveryStrategy
from notifications.domain.template import REPEATS, SENDER, Template, Text, Type
from notifications.domain.told import end_fact
from notifications.names import CUSTOMER, DEPARTMENT, NOTICE
from notifications.store.tables import (
    DEFERRED,
    GET_TEMPLATE,
    INSERT_NOTICE,
    LOCK_NOTICE,
    UPDATE_NOTICE,
)
from notifications.usecases import words
from notifications.usecases.measure import count_by_hand
from notifications.usecases.partials import Whole
from notifications.usecases.policy import read_template, require_sendable_by_hand
from notifications.usecases.timing import Timing

SEND = "notice-send"  # the kind of work that sends; its key is the notice's id
NEXT_YEAR_TIMER = "notice-next-year"  # of what is told each year; its key is the id of one that has ended


async def queue(tx: Transaction, notice: Notice, of: Type) -> None:
    """Have it sent when it is to be, until it is of no more use, and tell so. Again for what a revision says.

    `of` is the type of its template: it says how often what may have arrived is repeated.
    """
    await work.enqueue_all(tx, [entry_of(tx, notice, of)])


def entry_of(tx: Transaction, notice: Notice, of: Type) -> Mapping[str, Any]:
    """As `queue`, as what `work.enqueue_all` takes with others."""
    notice.request_event = tx.record(fact_of(NoticeRequested, notice), version=notice.version)
    when = {"due_at": notice.schedule_time or tx.now, "expire_at": notice.expire_time}
    return work.entry(tx, SEND, str(notice.id), **when, repeats=REPEATS[of], rank=notice.rank)


# Of policies, not of notices: a department has some dozens. What was sent and came back counts as both.
ENDED = Counter(
    "rapport_notices_ended",
    "Notices that ended, and why: `reason` as their `reason_code`, empty for what was sent.",
    ["notice_policy", "state", "reason"],
)
UNCALLED = Counter(
    "rapport_notices_uncalled",
    "Messages that were sent though a person was to tell the customer first: nobody had by then.",
)


async def save(
    tx: Transaction, notice: Notice, caused_by: UUID | None = None, *, queued: bool = True
) -> None:
    """Keep the notice. One that has ended leaves the queue, and its end is told as caused by `caused_by`.

    `queued`: whether it may be in the queue still.
    """
    if notice.ended:
        if queued:
            await work.cancel(tx, SEND, str(notice.id))
        if notice.years is not None:
            await tx.schedule(NEXT_YEAR_TIMER, str(notice.id), tx.now)
        tx.after_commit(ENDED.labels(notice.notice_policy_id, notice.state.lower(), notice.reason_code).inc)
        if told_uncalled(notice):
            tx.after_commit(UNCALLED.inc)
        ended_id = tx.record(end_fact(notice), version=notice.version, caused_by=caused_by)
        nobody = call_instead(notice)
        if nobody and (await GET_TEMPLATE.one(tx, id=notice.template_id)).essential:
            tx.record(nobody, version=notice.version, caused_by=ended_id)
    await write(tx, UPDATE_NOTICE, notice)


async def send_notice(
    tx: Transaction,
    per_customer: int,
    *,
    customer: str,
    kind: str,
    template_id: str,
    variables: dict[str, str],
    promise: str,
    case: str,
    expire_time: datetime | None,
    delivery: DeliveryStrategy | None,
    hold: timedelta | None = None,
    schedule_time: datetime | None = None,
) -> Notice:
    """Request a notice for a department, once it is sure that the template can say it.

    `hold` says its `schedule_time` from now. What `require_words` and `request_by_hand` find.
    """
    template, _ = await require_words(tx, template_id, variables, "notice")
    return await request_by_hand(
        tx,
        per_customer,
        template,
        customer=customer,
        kind=kind,
        variables=variables,
        promise=promise,
        case=case,
        expire_time=expire_time,
        delivery=delivery,
        schedule_time=schedule_time if hold is None else tx.now + hold,
    )


async def request_by_hand(
    tx: Transaction,
    per_customer: int,
    template: Template,
    *,
    customer: str,
    kind: str,
    variables: dict[str, str],
    expire_time: datetime | None,
    promise: str = "",
    case: str = "",
    delivery: DeliveryStrategy | None = None,
    schedule_time: datetime | None = None,
    of_many: bool = False,
) -> Notice:
    """Request a notice for a department of what `require_words` has found to be sendable.

    A customer gets `per_customer` notices of one purpose from departments within a day, and no more:
    ResourceExhausted TOO_MANY_NOTICES.
    """
    at = schedule_time or tx.now
    measured = await _require_measure(tx, customer, template.purpose, at, per_customer)
    department = tx.call.principal.department
    notice = Notice(
        id=ids.uuid7(tx.now),
        customer=customer,
        kind=kind,
        purpose=template.purpose,
        template_id=template.id,
        variables=variables,
        promise=promise,
        case=case,
        expire_time=expire_time or at + LIFETIME,
        create_time=tx.now,
        update_time=tx.now,
        request_event=tx.id,
        department=DEPARTMENT.format(department) if department else "",
        urgent=template.urgent,
        decisions=[measured],
        schedule_time=schedule_time,
        delivery=delivery,
    )
    return await request_notice(tx, notice, template, of_many=of_many)


async def request_notice(
    tx: Transaction, notice: Notice, template: Template, *, of_many: bool = False
) -> Notice:
    """Put a new notice into the queue; a job asks for one `of_many`."""
    notice.rank = rank_of(notice, of_many=of_many)
    await queue(tx, notice, template.type)
    await tx.defer(INSERT_NOTICE, **values(notice))
    return notice


def of_policy(
    policy: NoticePolicy,
    customer: str,
    when: Timing,
    at: datetime,
    *,
    trigger_event: UUID,
    inputs: dict[str, str],
    variables: dict[str, str] | None = None,
    subject: str = "",
    case: str = "",
    template: Template | None = None,
) -> Notice:
    """What a policy has a customer told, not requested yet; `inputs` say by what.

    Without the `template` its purpose and urgency are those of when it is requested.
    """
    return Notice(
        id=ids.uuid7(at),
        customer=customer,
        kind=policy.id,
        purpose=template.purpose if template else "",
        template_id=policy.template_id,
        variables=variables or {},
        promise="",
        case=case,
        expire_time=when.expire_time,
        create_time=at,
        update_time=at,
        request_event=trigger_event,  # until it is requested
        notice_policy_id=policy.id,
        policy_version=policy.version,
        department=policy.department,
        urgent=template is not None and template.urgent,
        subject=subject,
        trigger_event=trigger_event,
        schedule_time=when.schedule_time if when.schedule_time > at else None,
        send_on=when.send_on,
        day_offset=when.day_offset,
        send_hour=when.send_hour,
        years=when.years,
        delivery=policy.delivery,
        decisions=[Decision("trigger", Outcome.PASSED, inputs=inputs, decide_time=at)],
    )


async def require_words(
    on: Executor, template_id: str, given: dict[str, str], field: str
) -> tuple[Template, Sequence[Whole]]:
    """The template, and its texts, that a department may send with these values.

    `field` is the request's that has them. It may take seconds: of many languages, with HTML.

    NotFound when there is no such template; what `require_sendable_by_hand` finds; InvalidArgument
    VARIABLE_UNKNOWN for what it does not take, and what `words.render` finds.
    """
    template, texts = await read_template(on, template_id)
    require_sendable_by_hand(template, texts)
    await asyncio.to_thread(_check_variables, template, texts, given, field)
    return template, texts


def _check_variables(template: Template, texts: Sequence[Text], given: dict[str, str], field: str) -> None:
    taken = {*words.to_give(template, texts), *SENDER}
    if unknown := sorted(given.keys() - taken):
        described = f"must be one of {', '.join(sorted(taken))}"
        raise InvalidArgument(
            [Violation(f"{field}.variables[{name}]", "VARIABLE_UNKNOWN", described) for name in unknown]
        )
    words.rehearse(template, texts, given)


async def _require_measure(
    tx: Transaction, customer: str, purpose: str, at: datetime, at_most: int
) -> Decision:
    """Refuse what a program gone wrong would send; how it was found that it is not.

    Each purpose has its own measure, and policies none.
    """
    names = [CUSTOMER.format(each) for each in await lock_person(tx, *CUSTOMER.ids(customer))]
    count = await count_by_hand(tx, names, purpose, at)
    if count >= at_most:
        told = f"Departments may send a customer at most {at_most} notices for {purpose} within 24 hours."
        raise ResourceExhausted("TOO_MANY_NOTICES", told, {"resource": purpose, "most": at_most})
    counted = {"purpose": purpose, "count": str(count), "most": str(at_most)}
    return Decision("measure", Outcome.PASSED, inputs=counted, decide_time=tx.now)


async def cancel_notice(tx: Transaction, *, notice_id: UUID) -> Notice:
    """Take back what the caller's department, or a policy of theirs, requested.

    NotFound; PermissionDenied NOT_OWNER; FailedPrecondition NOTICE_UNDER_WAY.
    """
    notice = await found(tx, NOTICE, LOCK_NOTICE, notice_id)
    notice.take_back()
    if notice.department:  # else it is everybody's: who requested it works for none
        require_one_of("notifications", tx.call.principal, notice.name, [notice.department])
    await save(tx, notice, caused_by=notice.request_event)
    return notice


async def decide_again(tx: Transaction, customer: str) -> None:
    """Have what is deferred of a customer, by any of their names, decided now."""
    (customer_id,) = CUSTOMER.ids(customer)
    of_them = (await groups_of(tx, [customer_id])).whose
    waiting = await DEFERRED.all(tx, customers=[CUSTOMER.format(each) for each in of_them])
    await work.bring_forward(tx, SEND, [str(notice["id"]) for notice in waiting])
