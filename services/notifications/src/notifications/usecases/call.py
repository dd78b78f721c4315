"""Bad news for whom it is too much: a person tells them first, and the message follows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis import work
from chassis.api.entities import write
from chassis.db.statement import LOCK_NAME, Executor
from chassis.db.transaction import Transaction
from chassis.facts import Decision, Outcome
from notifications.domain import calling
from notifications.domain.notice import Concern, Notice
from notifications.domain.policy import CallFirst
from notifications.domain.reasons import Reason
from notifications.store.tables import GET_POLICY, LOCK_NOTICES_TO_ANYBODY, UPDATE_NOTICE
from notifications.usecases.attempt import Quiet
from notifications.usecases.notice import SEND

BEFORE_DUE = timedelta(hours=1)  # so long before the promise is due its customer is told, called or not
BY_POLICY = "policy"  # why somebody is called of whom the policy says so
_STEP = "call"


async def wanted_by_policy(on: Executor, notice: Notice) -> CallFirst | None:
    """Whether a person is to tell the customer first: once, of a delay. None: as the relationship asks."""
    if notice.concern is not Concern.AT_RISK or notice.in_doubt or notice.call_by_time:
        return CallFirst.NEVER
    policy = await GET_POLICY.maybe(on, id=notice.notice_policy_id)
    return policy.call_first if policy else CallFirst.NEVER


def require_call(
    notice: Notice, reasons: Sequence[str], within: timedelta, now: datetime, before: list[Decision]
) -> list[Decision]:
    """The steps `before` and this one, of a notice before which somebody is to be called, for `reasons`.

    Quiet while there is time for that, and nobody said what came of it.
    """
    if not reasons and notice.call_by_time is None:
        return before
    inputs = {"promise": notice.promise, "reasons": " ".join(reasons)} if reasons else {}
    by = notice.call_by_time or min(now + within, (notice.due_time or now) - BEFORE_DUE)
    inputs["call_by_time"] = by.isoformat()
    if now < by:
        step = Decision(_STEP, Outcome.DEFERRED, Reason.CALL_FIRST, inputs, now)
        raise Quiet(Reason.CALL_FIRST, by, [*before, step])
    came = notice.call_outcome_code or ("not-called" if notice.call_by_time else "no-time-to-call")
    return [*before, Decision(_STEP, Outcome.PASSED, came, inputs, now)]


async def call_over(tx: Transaction, promise: str, outcome_code: str) -> None:
    """What waits for somebody to call about a promise is decided now.

    Whoever it is to: the customer of the case about which they were called may be another name of theirs.
    """
    await LOCK_NAME.run(tx, name=promise)
    for notice in await LOCK_NOTICES_TO_ANYBODY.all(tx, promise=promise):
        if calling.call_over(notice, outcome_code, tx.now):
            await write(tx, UPDATE_NOTICE, notice)
            await work.bring_forward(tx, SEND, [str(notice.id)])
