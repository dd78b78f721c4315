"""Policies on dates of customers: from day to day, each `AHEAD` of when it begins.

So the first hour of a day has come nowhere yet when it is known who is told.
"""

from datetime import UTC, date, datetime, time, timedelta

from chassis import work
from chassis.db.transaction import Transaction
from notifications.domain.customer_date import Walk, policy_id_of
from notifications.domain.policy import NoticePolicy
from notifications.store import walks as store
from notifications.usecases.timing import Timing, on_day

CUSTOMER_DATE_WALK = "customer-date-walk"  # the kind of work that one step is
AHEAD = timedelta(days=2)
_PATIENCE = timedelta(days=30)  # with customers who cannot be asked: then the step is another
_DAY = timedelta(days=1)


async def keep_walking(tx: Transaction, policy: NoticePolicy) -> None:
    """Have a new version of a policy go from day to day, unless it is off or tells of events.

    From the first day on whose hour comes after now, or where the version before is, when that is behind.
    """
    before = await store.LOCK_WALK.maybe(tx, notice_policy_id=policy.id)
    if policy.customer_date is None or policy.disabled or policy.deleted:
        await store.END_WALK.run(tx, notice_policy_id=policy.id)
        return
    first = first_day(policy, tx.now)
    await _go_on(tx, Walk(policy.id, policy.version, min(first, before.day) if before else first))


def first_day(policy: NoticePolicy, now: datetime) -> date:
    """The first day on which a policy tells, if its hour has come nowhere yet."""
    day = now.date()
    while telling_on(policy, day)[1].schedule_time <= now:
        day += _DAY
    return day


def telling_on(policy: NoticePolicy, day: date) -> tuple[date, Timing]:
    """The date that a policy tells of on a day, and when that is of use."""
    assert policy.customer_date is not None, "of no other policy is there a walk"
    on = day - timedelta(days=policy.customer_date.offset_days)
    return on, on_day(policy.customer_date, policy.lasts, on.isoformat())


async def lock_walk(tx: Transaction, work_key: str) -> Walk | None:
    """Lock the walk whose next step that work is; None when its policy was changed, or is off, by now."""
    walk = await store.LOCK_WALK.maybe(tx, notice_policy_id=policy_id_of(work_key))
    return walk if walk is not None and walk.work_key == work_key else None


async def again(tx: Transaction, walk: Walk) -> None:
    """Take the next step of a locked walk."""
    walk.step += 1
    await _go_on(tx, walk)


async def _go_on(tx: Transaction, walk: Walk) -> None:
    await store.PUT_WALK.rows(tx, [walk])
    due = max(tx.now, datetime.combine(walk.day, time(), UTC) - AHEAD)
    await work.enqueue(tx, CUSTOMER_DATE_WALK, walk.work_key, due_at=due, expire_at=due + _PATIENCE)
