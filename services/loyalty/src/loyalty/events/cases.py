"""What the cases service tells."""

from chassis.api.validation import Check
from chassis.db.transaction import Transaction
from chassis.events.consumer import Handler
from chassis.events.envelope import Event
from loyalty.names import CUSTOMER, PROMISE
from loyalty.usecases.goodwill import Authority, grant_for_delay
from rapport.cases.v1 import cases_events_pb2


def goodwill_for_renegotiation(authority: Authority) -> Handler:
    """Grants what the policy gives for the delay, when a promise was moved: once for each promise."""

    async def on_promise_renegotiated(
        tx: Transaction, event: Event[cases_events_pb2.PromiseRenegotiated]
    ) -> None:
        check = Check()
        (customer_id,) = check.name(CUSTOMER, event.data.customer, "customer")
        (promise_id,) = check.name(PROMISE, event.data.promise, "promise")
        due = check.moment(event.data, "due_time")
        new_due = check.moment(event.data, "new_due_time")
        check.raise_if_any()
        assert due is not None
        assert new_due is not None
        await grant_for_delay(tx, customer_id, promise_id, new_due - due, authority)

    return on_promise_renegotiated
