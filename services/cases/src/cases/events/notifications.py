"""What the notifications service tells."""

from cases.domain.promise import PromiseClock
from cases.names import NOTICE, PROMISE
from cases.usecases.promise import customer_was_told
from chassis.api.messages import moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent

PROMISE_AT_RISK = "promise-at-risk"  # the kind of notice that tells a customer a new due time


class Notices:
    """Notices that were sent about promises."""

    def __init__(self, clock: PromiseClock) -> None:
        self._clock = clock

    async def sent(self, tx: Transaction, event: Event[NoticeSent]) -> None:
        """The customer knows the new due time: the promise is renegotiated."""
        notice = event.data
        if notice.kind != PROMISE_AT_RISK or not notice.promise or not notice.HasField("new_due_time"):
            return
        (promise_id,), (notice_id,) = PROMISE.parse(notice.promise), NOTICE.parse(notice.notice)
        await customer_was_told(
            tx,
            self._clock,
            promise_id,
            due_time=moment(notice.new_due_time),
            reason_code=notice.reason_code,
            notice_id=notice_id,
        )
