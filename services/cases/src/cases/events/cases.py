"""What this service itself tells: what went wrong makes cases more pressing, and brings them further up."""

from cases.domain.escalation import EscalationReason
from cases.names import CASE, CUSTOMER
from cases.usecases.escalation import escalate_by_itself
from cases.usecases.standing import prioritize_again
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.cases.v1.cases_events_pb2 import ClockBreached, PromiseBroken, PromiseKept
from rapport.common.v1.states_pb2 import PROMISE_STATE_KEPT


async def on_promise_ended(tx: Transaction, event: Event[PromiseBroken | PromiseKept]) -> None:
    """Look at the customer's cases again, unless it was kept in time; a broken one brings its case up."""
    if event.data.state != PROMISE_STATE_KEPT:
        (customer_id,) = CUSTOMER.parse(event.data.customer)
        await prioritize_again(tx, customer_id)
    if isinstance(event.data, PromiseBroken) and event.data.case:
        (case_id,) = CASE.parse(event.data.case)
        await escalate_by_itself(tx, case_id, EscalationReason.PROMISE_BROKEN)


async def on_clock_breached(tx: Transaction, event: Event[ClockBreached]) -> None:
    """Bring the case to somebody with more authority."""
    (case_id,) = CASE.parse(event.data.case)
    await escalate_by_itself(tx, case_id, EscalationReason.CLOCK_BREACHED)
