"""What the notifications service tells."""

from dataclasses import dataclass

from cases.domain.promise_clock import PromiseClock
from cases.domain.telling import Telling
from cases.names import NOTICE, PROMISE
from cases.usecases.promise import customer_was_told
from chassis.api.messages import date_of, moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices that were sent about promises."""

    clock: PromiseClock

    async def sent(self, tx: Transaction, event: Event[NoticeSent]) -> None:
        """A policy told the customer a new date: the promise moves. No other notice can move one."""
        if not event.data.HasField("told_promise"):
            return
        told = event.data.told_promise
        a_day = told.HasField("new_due_date")
        (promise_id,), (notice_id,) = PROMISE.parse(told.promise), NOTICE.parse(event.data.notice)
        telling = Telling(
            customer=told.customer,
            version=told.promise_version,
            due_time=None if a_day else moment(told.new_due_time),
            due_date=date_of(told.new_due_date) if a_day else None,
            tell_time=moment(told.tell_time),
            reason_code=told.reason_code,
            notice_id=notice_id,
        )
        await customer_was_told(tx, self.clock, promise_id, telling)
