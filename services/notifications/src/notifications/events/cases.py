"""Events of the cases service."""

from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from notifications.domain.notice import Concern
from notifications.usecases.call import call_over
from notifications.usecases.promise import hear, news_of
from rapport.cases.v1.call_pb2 import CALL_OUTCOME_DECLINED
from rapport.cases.v1.cases_events_pb2 import (
    PromiseAtRisk,
    PromiseDelayNotified,
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
    WorkItemCalled,
)


async def on_promise(
    tx: Transaction,
    event: Event[PromiseAtRisk | PromiseRecovered | PromiseKept | PromiseWithdrawn | PromiseRenegotiated],
) -> None:
    """Tell the customer the new date, or of a recovery those who may have been told otherwise; else nobody.

    What the clock alone put at risk has no date to tell. A customer knows that a promise is renegotiated: by
    our notice, or from a person who was faster.
    """
    concern, told = Concern.NONE, event.data
    if isinstance(told, PromiseAtRisk):
        if not told.HasField("forecast_time"):
            return
        concern = Concern.AT_RISK
    elif isinstance(told, PromiseRecovered):
        concern = Concern.RECOVERED
    await hear(tx, news_of(told.promise, event.resource_version, concern, told))


async def on_call(tx: Transaction, event: Event[PromiseDelayNotified | WorkItemCalled]) -> None:
    """A person told the customer of a promise, who is sent now what they were told; or does not get to."""
    told = event.data
    if isinstance(told, PromiseDelayNotified):
        await call_over(tx, told.promise, "called")
    elif told.promise and told.outcome == CALL_OUTCOME_DECLINED:
        await call_over(tx, told.promise, "declined")
