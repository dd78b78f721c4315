"""Telling customers of a date of theirs: some at a time, each once, with how far it is in the same commit."""

from dataclasses import replace
from datetime import date, timedelta

from chassis.db.aliases import lock_people
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from notifications.domain.customer_date import trigger_of
from notifications.domain.notice import Notice
from notifications.domain.policy import NoticePolicy
from notifications.domain.trigger import turn
from notifications.names import CUSTOMER
from notifications.store.tables import LATEST_POLICY, POLICIES_ON_DATE
from notifications.usecases.notice import of_policy
from notifications.usecases.notice_job import Page
from notifications.usecases.timing import Timing
from notifications.usecases.trigger import request_once
from notifications.usecases.walk import again, lock_walk, telling_on


async def tell_some(tx: Transaction, per_customer: int, work_key: str, page: Page) -> None:
    """Request the notices of a page of customers, as the step of a walk, and come back for the next.

    Of several policies that tell on the same day of a date the first in their turn is followed. Of whoever
    was merged meanwhile one name is told. What is over already is told to nobody.

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
        await request_once(tx, notices, per_customer, people)
    walk.page_token = page.next_token
    if not page.next_token:
        walk.day += timedelta(days=1)
        while telling_on(policy, walk.day)[1].expire_time <= tx.now:
            walk.day += timedelta(days=1)
        tx.act(replace(tx.call, cause_id=None, correlation_id="", traceparent=""))  # each day is a flow
    await again(tx, walk)


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
