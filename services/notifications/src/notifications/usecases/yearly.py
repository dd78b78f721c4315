"""What is told each year: when a notice of it has ended, that of the next year is planned, once."""

from dataclasses import replace
from uuid import UUID

from chassis.db.aliases import lock_person
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer
from notifications.domain.notice import Notice
from notifications.domain.policy import NoticePolicy
from notifications.domain.reasons import Reason
from notifications.domain.template import Template
from notifications.names import CUSTOMER
from notifications.store.tables import GET_NOTICE, GET_TEMPLATE, LATEST_POLICY
from notifications.store.triggers import OFF_SINCE, PLANNED_AFTER, POLICY_OF_VERSION
from notifications.usecases.marks import lock_thing, why_old
from notifications.usecases.notice import of_policy, request_notice
from notifications.usecases.timing import Timing, next_year

# Why one ends with which all do.
_OVER = (Reason.SUPERSEDED, Reason.CAUSE_GONE, Reason.POLICY_OFF, Reason.CUSTOMER_NOT_FOUND)


async def plan_next(tx: Transaction, timer: Timer) -> None:
    """Plan the next year's of a notice that has ended, as its policy has it now.

    Nothing when that is planned already, when what it tells of is over or told newer, or when the policy was
    off since, tells it no more each year, or reads something else of its events.
    """
    ended = await GET_NOTICE.one(tx, id=UUID(timer.key))
    await lock_person(tx, *CUSTOMER.ids(ended.customer))
    await lock_thing(tx, ended.notice_policy_id, ended.subject)
    policy = await _policy_of(tx, ended)
    if policy is None or policy.day is None or not policy.day.yearly:
        return
    if not ended.ended or ended.reason_code in _OVER:
        return
    if await why_old(tx, ended) is Reason.SUPERSEDED:
        return
    of = {"notice_policy_id": policy.id, "customer": ended.customer, "years": ended.years}
    if await PLANNED_AFTER.maybe(tx, trigger_event=ended.trigger_event, **of):
        return
    tx.act(replace(tx.call, cause_id=ended.request_event))
    template = await GET_TEMPLATE.one(tx, id=policy.template_id)
    when = next_year(policy.day, policy.lasts, ended.send_on, tx.now, ended.years or 0)
    notice = _next(tx, ended, policy, template, when)
    await request_notice(tx, notice, template)


async def _policy_of(tx: Transaction, notice: Notice) -> NoticePolicy | None:
    """The policy of a notice as it is; None when it does not go on with what was read for it."""
    id_, version = notice.notice_policy_id, notice.policy_version
    if await OFF_SINCE.maybe(tx, id=id_, version=version) is not None:
        return None
    was = await POLICY_OF_VERSION.one(tx, id=id_, version=version)
    policy = await LATEST_POLICY.one(tx, id=id_)
    return policy if policy.reads == was.reads else None


def _next(tx: Transaction, ended: Notice, policy: NoticePolicy, template: Template, when: Timing) -> Notice:
    assert ended.trigger_event is not None, "it is told each year"
    inputs = {"event": str(ended.trigger_event), "event_type": policy.event_type, "subject": ended.subject}
    inputs |= {"notice": ended.name, "years": str(when.years)}
    return of_policy(
        policy,
        ended.customer,
        when,
        tx.now,
        trigger_event=ended.trigger_event,
        inputs=inputs,
        variables=ended.variables,
        subject=ended.subject,
        case=ended.case,
        template=template,
    )
