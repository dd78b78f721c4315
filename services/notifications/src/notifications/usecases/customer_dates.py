"""Telling customers of a date of theirs: some at a time, each once, with how far it is in the same commit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from chassis.db.aliases import Groups, lock_people
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from notifications.domain.customer_date import anew, trigger_of
from notifications.domain.notice import Notice, State
from notifications.domain.policy import NoticePolicy
from notifications.domain.reasons import Reason
from notifications.domain.trigger import turn
from notifications.names import CUSTOMER
from notifications.store.tables import LATEST_POLICY, POLICIES_ON_DATE
from notifications.store.triggers import ASKED_OF_DATE
from notifications.usecases.notice import of_policy, save
from notifications.usecases.notice_job import Page
from notifications.usecases.timing import Timing
from notifications.usecases.trigger import is_off, of_date, request_once
from notifications.usecases.walk import again, lock_walk, telling_on


async def tell_some(tx: Transaction, per_customer: int, work_key: str, page: Page) -> None:
    """Request the notices of a page of customers, as the step of a walk, and come back for the next.

    Of several policies that tell on the same day of a date the first in their turn is followed. Of whoever
    was merged meanwhile one name is told. What is over already is told to nobody. What was to be told
    otherwise, by an earlier version, is taken back, and told as this one says.

    The customers are locked before the walk: who sends to one waits for the policy, and who changes that for
    the walk.
    """
    asked = [customer_id for each in page.customers for customer_id in CUSTOMER.ids(each)]
    people = await lock_people(tx, asked)
    walk = await lock_walk(tx, work_key)
    if walk is None:
        return
    policy = await LATEST_POLICY.one(tx, id=walk.notice_policy_id)
    on, when = telling_on(policy, walk.day)
    is_followed = await followed_before(tx, policy) is None
    if is_followed and when.expire_time > tx.now:
        told = dict.fromkeys(people.survivors[each] for each in asked)
        notices = [_notice(tx, policy, CUSTOMER.format(each), on, when) for each in told]
        await request_once(tx, await _untold(tx, policy, notices, people), per_customer, people)
    walk.page_token = page.next_token
    if not page.next_token:
        walk.day += timedelta(days=1)
        while telling_on(policy, walk.day)[1].expire_time <= tx.now:
            walk.day += timedelta(days=1)
        tx.act(replace(tx.call, cause_id=None, correlation_id="", traceparent=""))  # each day is a flow
    await again(tx, walk)


async def _untold(
    tx: Transaction, policy: NoticePolicy, notices: Sequence[Notice], people: Groups
) -> Sequence[Notice]:
    """Those of customers who were not told of it, nor are to be; what is not sent any more is taken back."""
    if not notices:
        return notices
    trigger = notices[0].trigger_event
    assert trigger is not None, "it stands for the date"
    names = [CUSTOMER.format(each) for each in people.everybody]
    asked = await ASKED_OF_DATE.all(tx, **of_date(notices[0], names))
    off = [each for each in asked if await _comes_to_nothing(tx, each)]
    for each in off:
        if each.waits:
            each.suppress(Reason.POLICY_OFF)
            await save(tx, each, caused_by=each.request_event)
    whose = {CUSTOMER.format(name): survivor for name, survivor in people.whose.items()}
    told = {whose[each.customer] for each in asked if each not in off}
    before = {whose[each.customer] for each in off if each.trigger_event == trigger}
    untold = [each for each in notices if whose[each.customer] not in told]
    for each in untold:
        if whose[each.customer] in before:
            each.trigger_event = anew(trigger, f"{policy.name}/versions/{policy.version}")
    return untold


async def _comes_to_nothing(tx: Transaction, notice: Notice) -> bool:
    """Whether it is not sent, for its policy was changed since, and never was handed over."""
    if notice.waits and not notice.in_doubt and not notice.spent:
        return await is_off(tx, notice)
    return notice.state is State.SUPPRESSED and notice.reason_code == Reason.POLICY_OFF


async def followed_before(on: Executor, policy: NoticePolicy) -> NoticePolicy | None:
    """Which other policy is followed of those that tell on the same day of a date; None when this one is."""
    told = policy.customer_date
    assert told is not None, "it walks"
    rivals = [
        each
        for each in await POLICIES_ON_DATE.all(on, date=policy.trigger)
        if each.customer_date and each.customer_date.offset_days == told.offset_days and each.id != policy.id
    ]
    first = min(rivals, key=turn, default=policy)
    return first if turn(first) < turn(policy) else None


def _notice(tx: Transaction, policy: NoticePolicy, customer: str, on: date, when: Timing) -> Notice:
    assert policy.customer_date is not None, "it walks"
    trigger = trigger_of(policy.customer_date, on)
    inputs = {"notice_policy": policy.name, "customer_date": policy.trigger}
    return of_policy(policy, customer, when, tx.now, trigger_event=trigger, inputs=inputs)
