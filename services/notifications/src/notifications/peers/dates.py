"""Asking, right before a message leaves, whether a date of a customer is still theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import grpc

from chassis.clock import Clock
from chassis.facts import Decision, Outcome
from chassis.work.item import not_answered
from notifications.domain.customer_date import days_on, tells_date
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.usecases.attempt import Forbidden
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

if TYPE_CHECKING:
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Dates:
    """Asks the customer service: a walk found the customer days before."""

    customers: CustomerServiceAsyncStub
    clock: Clock

    async def confirm(self, notice: Notice) -> list[Decision]:
        """The step of what tells of a customer's date; none of what tells anything else.

        Forbidden when the date is another by now, or none, or there is no such customer. Later when nobody
        can say; Ours when we may not ask.
        """
        if not tells_date(notice):
            return []
        try:
            customer = await self.customers.GetCustomer(GetCustomerRequest(name=notice.customer))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise Forbidden(Reason.CUSTOMER_NOT_FOUND) from None
            raise not_answered("customer", error) from None
        born, now = customer.person.birth_date, self.clock.now()
        if f"{born.month:02}-{born.day:02}" not in days_on(date.fromisoformat(notice.send_on)):
            step = Decision("date", Outcome.STOPPED, Reason.DATE_CHANGED, decide_time=now)
            raise Forbidden(Reason.DATE_CHANGED, [step])
        return [Decision("date", Outcome.PASSED, decide_time=now)]
