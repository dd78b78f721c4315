"""What providers report of messages that they accepted."""

from collections.abc import Sequence

from chassis.api.entities import write
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, NotFound
from chassis.facts import fact_of
from notifications.domain.attempt import Attempt, Delivery, Receipt
from notifications.domain.facts import NoticeDelivered
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.receipt import hear
from notifications.store import tables as store
from notifications.usecases.fallback import fall_back, fall_back_when_silent
from notifications.usecases.notice import ENDED, save
from notifications.usecases.promise import count_told, follow_up, lock_notice, told_of_promise


async def require_attempt(on: Executor, provider: str, provider_key: str) -> tuple[Attempt, Notice]:
    """The attempt that handed over the message with this key to that provider, and its notice.

    NotFound when there is none; Aborted NOTICE_SENDING while it is being handed over.
    """
    attempt = await store.LATEST_OF_MESSAGE.maybe(on, provider=provider, key=provider_key)
    if attempt is None:
        raise NotFound("notices/-/attempts/-", "No message of ours has this key there.")
    notice = await store.GET_NOTICE.one(on, id=attempt.notice)
    _require_handed_over(notice)
    return attempt, notice


async def record_receipt(
    tx: Transaction, provider: str, provider_key: str, receipt: Receipt, served: Sequence[str]
) -> Notice:
    """Keep what is reported of a message, and move its notice on. In any order, late and again.

    That it is reported at all says that it was accepted, where the answer was lost. Raises as
    `require_attempt`.
    """
    attempt, _ = await require_attempt(tx, provider, provider_key)
    notice = await lock_notice(tx, attempt.notice)
    _require_handed_over(notice)
    attempt = await store.GET_ATTEMPT.one(tx, notice_id=notice.id, id=attempt.number)
    if attempt.take(receipt):
        await store.REPORT_ATTEMPT.run(tx, **values(attempt))
        if attempt.might_be_accepted:
            await _move(tx, notice, attempt, served)
    return notice


def _require_handed_over(notice: Notice) -> None:
    if notice.state is State.SENDING:
        told = "The message is being handed over. Tell the receipt again."
        raise Aborted("NOTICE_SENDING", told, {"resource": notice.name}, retry_after_s=1)


async def _move(tx: Transaction, notice: Notice, attempt: Attempt, served: Sequence[str]) -> None:
    of_promise = await told_of_promise(tx, notice)
    state, version, why, wanted = notice.state, notice.version, notice.reason_code, notice.variables
    answer_lost = not notice.told and not notice.bounced  # and this is as good
    attempts = await store.ATTEMPTS_OF.all(tx, notice_id=notice.id)
    if hear(notice, attempt, attempts):
        if await fall_back(tx, notice, attempt.channel or notice.channel, served):
            return
        if not notice.accepted_on:
            notice.bounce()
    if notice.version != version:
        if notice.state is state:  # nothing new to tell
            await write(tx, store.UPDATE_NOTICE, notice)
        else:
            await save(tx, notice, caused_by=notice.request_event)
        if answer_lost and notice.concern != Concern.NONE:
            await follow_up(tx, of_promise, notice, why, wanted)
        else:
            await count_told(tx, of_promise)
    version = notice.version
    if attempt.delivery is Delivery.DELIVERED:
        assert attempt.delivery_time is not None, "it was reported"
        notice.deliver(attempt.delivery_time)
        if notice.version != version:
            await write(tx, store.UPDATE_NOTICE, notice)
            tx.after_commit(ENDED.labels(notice.notice_policy_id, "delivered", "").inc)
            tx.record(
                fact_of(NoticeDelivered, notice), version=notice.version, caused_by=notice.request_event
            )
    if notice.state is not state:  # it counts as sent by what is reported: nobody else waits for its silence
        await fall_back_when_silent(tx, notice, served)
