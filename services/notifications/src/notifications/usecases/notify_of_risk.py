"""Telling customers about promises that will not be kept in time, and no longer when that has changed."""

from dataclasses import dataclass
from datetime import datetime

from chassis.db.transaction import Transaction
from notifications.domain.policy import PROMISE_AT_RISK, NoticePolicy, Step, next_step
from notifications.store.notices import LOCK_NOTICES_OF_PROMISE
from notifications.store.policies import POLICIES_FOR_EVENT
from notifications.usecases.request_notice import RequestNotice, request_notice
from notifications.usecases.save_notice import queue, save


@dataclass(frozen=True, slots=True)
class PromiseAtRisk:
    """A promise that is now expected to be kept at `forecast_time`, as of its `version`."""

    promise: str
    version: int
    customer: str
    case: str
    reference: str
    due_time: datetime
    forecast_time: datetime
    reason_code: str


async def notify_of_risk(tx: Transaction, risk: PromiseAtRisk) -> None:
    """Have every policy for it tell the customer the new date, once.

    A notice of a delay is of use until the new date: a customer who could not be told before the old one is
    better told late than never.
    """
    before = await LOCK_NOTICES_OF_PROMISE.all(tx, promise=risk.promise)
    variables = {
        "reason": risk.reason_code,
        "old_date": risk.due_time.isoformat(),
        "new_date": risk.forecast_time.isoformat(),
        "reference": risk.reference,
    }
    for policy in await POLICIES_FOR_EVENT.all(tx, event_type=PROMISE_AT_RISK):
        own = [notice for notice in before if notice.policy == policy.id]
        step, notice = next_step(own, variables, risk.version)
        if step == Step.REQUEST:
            await request_notice(tx, _command(policy, risk, variables))
        elif step == Step.REVISE and notice is not None:
            notice.revise(variables, risk.forecast_time, risk.version)
            notice.request_event = tx.record(notice.request_fact(), version=notice.version)
            await queue(tx, notice)
            await save(tx, notice)


async def withdraw_notices(tx: Transaction, promise: str) -> None:
    """The promise has ended: what policies still wanted to say about it is no longer true."""
    for notice in await LOCK_NOTICES_OF_PROMISE.all(tx, promise=promise):
        if notice.policy and not notice.ended:
            notice.withdraw()
            await save(tx, notice)


def _command(policy: NoticePolicy, risk: PromiseAtRisk, variables: dict[str, str]) -> RequestNotice:
    return RequestNotice(
        customer=risk.customer,
        kind=policy.id,
        template=policy.template,
        variables=variables,
        promise=risk.promise,
        case=risk.case,
        expire_time=risk.forecast_time,
        policy=policy.id,
        policy_version=policy.version,
        promise_version=risk.version,
    )
