"""What the notifications service tells."""

from dataclasses import dataclass

from cases.domain.contact import Contact
from cases.domain.delay_notification import BOUNCED, DelayNotification
from cases.domain.promise_clock import PromiseClock
from cases.names import CASE, CUSTOMER, NOTICE, PROMISE
from cases.usecases.call_request import call_for_notice
from cases.usecases.contact import case_contacted
from cases.usecases.promise import customer_notified
from chassis.api.messages import date_of, moment, value_name
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.notifications.v1.notifications_events_pb2 import NoticeCallRequested, NoticeSent


async def _was_told(tx: Transaction, notice: NoticeSent) -> None:
    """A machine told the customer of a case something: that is no answer, but no silence."""
    if about := CASE.match(notice.case) or PROMISE.match(notice.promise):
        told = Contact(moment(notice.send_time), inbound=False)
        await case_contacted(tx, about[0], told)


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices about promises: those that were sent, and those that reach nobody."""

    clock: PromiseClock

    async def sent(self, tx: Transaction, event: Event[NoticeSent]) -> None:
        """The customer was told something. If a policy told them a new date, the promise moves."""
        await _was_told(tx, event.data)
        if not event.data.HasField("told_promise"):
            return
        told = event.data.told_promise
        a_day = told.HasField("new_due_date")
        (promise_id,), (notice_id,) = PROMISE.parse(told.promise), NOTICE.parse(event.data.notice)
        notification = DelayNotification(
            customer=told.customer,
            version=told.promise_version,
            due_time=None if a_day else moment(told.new_due_time),
            due_date=date_of(told.new_due_date) if a_day else None,
            notify_time=moment(told.tell_time),
            reason_code=told.reason_code,
            notice_id=notice_id,
            channel=value_name(event.data, "channel"),
        )
        await customer_notified(tx, self.clock, promise_id, notification)

    async def call_requested(self, tx: Transaction, event: Event[NoticeCallRequested]) -> None:
        """A person is to tell what a notice about a promise or a case does not, or not before they did."""
        notice = event.data
        (customer_id,), (notice_id,) = CUSTOMER.parse(notice.customer), NOTICE.parse(notice.notice)
        promise, case = PROMISE.match(notice.promise), CASE.match(notice.case)
        await call_for_notice(
            tx,
            self.clock,
            customer_id=customer_id,
            notice_id=notice_id,
            promise_id=promise[0] if promise else None,
            case_id=case[0] if case else None,
            bounced=notice.reason_code == BOUNCED,
            call_by=moment(notice.call_by_time) if notice.HasField("call_by_time") else None,
        )
