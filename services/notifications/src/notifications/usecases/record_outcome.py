"""Recording how an attempt ended."""

import random
from dataclasses import dataclass
from datetime import timedelta

from chassis.db.transaction import Transaction
from notifications.domain.attempt import Accepted, Forbidden, Later, Outcome, Unsent, wait_before_retry
from notifications.store.notices import DELETE_ATTEMPT, LOCK_NOTICE, UPDATE_ATTEMPT
from notifications.usecases.save_notice import SEND, save
from notifications.usecases.start_attempt import Delivery


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to wait before trying again: from `first`, doubling, to `longest`."""

    first: timedelta
    longest: timedelta


async def record_outcome(
    tx: Transaction, delivery: Delivery, result: Accepted | Unsent, retries: Retries
) -> None:
    """Keep the outcome and move the notice on.

    An acceptance counts whichever attempt brings it. Any other outcome of an attempt that was given up for
    lost, so that a later one is under way, is kept and moves nothing.
    """
    attempt = delivery.attempt
    notice = await LOCK_NOTICE.one(tx, id=delivery.notice.id)
    if isinstance(result, Forbidden):  # the provider was not asked: there was no attempt
        await DELETE_ATTEMPT.run(tx, notice=notice.id, number=attempt.number)
    else:
        await UPDATE_ATTEMPT.run(
            tx,
            notice=notice.id,
            number=attempt.number,
            outcome=_outcome(result),
            provider_code=result.provider_code,
            end_time=tx.now,
        )
    is_latest = attempt.number == notice.attempt_count
    if notice.ended or not (is_latest or isinstance(result, Accepted)):
        return
    if isinstance(result, Accepted):
        notice.accept(tx.now, result.channel, result.content_hash, delivery.notice.variables)
    elif isinstance(result, Forbidden):
        notice.suppress(result.reason_code)
    elif isinstance(result, Later):
        notice.postpone()
        wait = wait_before_retry(notice.attempt_count, retries.first, retries.longest, random.random())  # noqa: S311
        await tx.schedule(SEND, str(notice.id), min(tx.now + wait, notice.expire_time))
    else:
        notice.fail(result.reason_code)
    await save(tx, notice, caused_by=delivery.notice.request_event)


def _outcome(result: Accepted | Unsent) -> Outcome:
    if isinstance(result, Accepted):
        return Outcome.ACCEPTED
    return Outcome.TEMPORARY_FAILURE if isinstance(result, Later) else Outcome.PERMANENT_FAILURE
