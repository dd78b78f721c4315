"""What this service itself tells: a promise that was missed makes its customer's cases more pressing."""

from cases.names import CUSTOMER
from cases.usecases.standing import prioritize_again
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.cases.v1.cases_events_pb2 import PromiseBroken, PromiseKept
from rapport.common.v1.states_pb2 import PROMISE_STATE_KEPT


async def on_promise_ended(tx: Transaction, event: Event[PromiseBroken | PromiseKept]) -> None:
    """Look at the customer's cases again, unless the promise was kept in time."""
    if event.data.state != PROMISE_STATE_KEPT:
        (customer_id,) = CUSTOMER.parse(event.data.customer)
        await prioritize_again(tx, customer_id)
