"""What policies heard of things: whether it is newer than what is told, and forgetting it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from chassis.context import Call, acting, service_itself
from chassis.db.aliases import groups_of
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.names import CUSTOMER
from notifications.store import triggers as store

MARKS_TIMER = "trigger-marks"
HEARD_FOR = timedelta(days=90)  # an event that comes later than this after it happened changes nothing
KEPT_FOR = HEARD_FOR + timedelta(days=1)  # more, for what is older by its version may have the later time
EVERY, PACE = timedelta(hours=6), timedelta(seconds=1)  # a round, and a page of it
PAGE = 1000


async def lock_thing(tx: Transaction, policy_id: str, subject: str) -> None:
    """Until the transaction ends nobody else hears of a thing for a policy, or plans what it tells of it."""
    await lock_things(tx, [(policy_id, subject)])


async def lock_things(tx: Transaction, things: Iterable[tuple[str, str]]) -> None:
    """As `lock_thing`, of several, each of one policy."""
    names = [f"triggers/{policy_id}/{subject}" for policy_id, subject in things]
    await LOCK_NAMES.run(tx, names=names)


async def why_old(on: Executor, notice: Notice) -> Reason | None:
    """SUPERSEDED when something newer was heard of what a policy's notice tells of, and of its customer.

    What is told each year of a customer is the person's: ALREADY_TOLD of another name of theirs, while it is.
    """
    if notice.trigger_event is None:
        return None
    marks = await store.MARKS.all(on, policies=[notice.notice_policy_id], subjects=[notice.subject])
    ids = (await groups_of(on, CUSTOMER.ids(notice.customer))).everybody
    names = [CUSTOMER.format(each) for each in ids]
    if any(mark.event_id > notice.trigger_event for mark in marks if mark.customer in ("", *names)):
        return Reason.SUPERSEDED
    if notice.years is None or notice.subject != notice.customer:
        return None
    of = {"notice_policy_id": notice.notice_policy_id, "trigger_event": notice.trigger_event}
    newer = await store.NEWER_OF_PERSON.maybe(on, customers=names, **of)
    return None if newer is None else Reason.ALREADY_TOLD


async def forget_marks(tx: Transaction, timer: Timer) -> None:
    """Forget a page of them, and come back for more."""
    gone = await store.FORGET_MARKS.all(tx, before=tx.now - KEPT_FOR, page=PAGE)
    await tx.schedule(MARKS_TIMER, timer.key, tx.now + (PACE if len(gone) == PAGE else EVERY))


async def expect_forgetting(db: Database, kinds: Sequence[str]) -> None:
    """Have timers forget from now on, once for all replicas."""
    with acting(Call("start", service_itself(db.service))):
        async with db.transaction() as tx:
            for kind in kinds:
                await tx.schedule(kind, "", tx.now)
