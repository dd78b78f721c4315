"""Events of the cases service."""

from chassis.api.messages import moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from notifications.usecases import notify_of_risk
from notifications.usecases.notify_of_risk import withdraw_notices
from rapport.cases.v1.cases_events_pb2 import (
    PromiseAtRisk,
    PromiseKept,
    PromiseRenegotiated,
    PromiseWithdrawn,
)


async def on_promise_at_risk(tx: Transaction, event: Event[PromiseAtRisk]) -> None:
    """Tell the customer the new date. What the clock alone put at risk has none to tell."""
    data = event.data
    if data.HasField("forecast_time"):
        risk = notify_of_risk.PromiseAtRisk(
            promise=data.promise,
            version=event.resource_version,
            customer=data.customer,
            case=data.case,
            reference=data.reference,
            due_time=moment(data.due_time),
            forecast_time=moment(data.forecast_time),
            reason_code=data.reason_code,
        )
        await notify_of_risk.notify_of_risk(tx, risk)


async def on_promise_kept(tx: Transaction, event: Event[PromiseKept]) -> None:
    """It was kept after all."""
    await withdraw_notices(tx, event.data.promise)


async def on_promise_withdrawn(tx: Transaction, event: Event[PromiseWithdrawn]) -> None:
    """It no longer holds."""
    await withdraw_notices(tx, event.data.promise)


async def on_promise_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
    """The customer knows the new date: by our notice, or from a person who was faster."""
    await withdraw_notices(tx, event.data.promise)
