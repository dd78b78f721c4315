"""What the cases service tells."""

from collections.abc import Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from chassis.api.messages import moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.events.subscription import Handler
from loyalty.names import CUSTOMER, PROMISE
from loyalty.store.goodwill import INSERT_PROMISES, KnownPromise
from loyalty.usecases.goodwill import Authority, Delay, grant_for_delay
from rapport.cases.v1.cases_events_pb2 import PromiseMade, PromiseRenegotiated


async def on_promises_made(tx: Transaction, events: Sequence[Event[PromiseMade]]) -> None:
    """Remember whose each promise is and what it is about, for the grants that people make."""
    made = [
        KnownPromise(
            *PROMISE.parse(e.data.promise), *CUSTOMER.parse(e.data.customer), *PROMISE.parse(e.data.root)
        )
        for e in events
    ]
    await INSERT_PROMISES.rows(tx, made)


def goodwill_for_renegotiation(authority: Authority) -> Handler:
    """Grants what the policy gives for the whole delay when a notice told that a promise is moved."""

    async def on_promise_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
        moved = event.data
        if not moved.notice:  # a person spoke with the customer, and grants within a person's own budget
            return
        (customer_id,), (promise_id,), (root_id,) = (
            CUSTOMER.parse(moved.customer),
            PROMISE.parse(moved.promise),
            PROMISE.parse(moved.root),
        )
        delay = Delay(
            customer_id,
            promise_id,
            root_id,
            first_due=moment(moved.first_due_time),
            new_due=moment(moved.new_due_time),
            zone=ZoneInfo(moved.time_zone) if moved.time_zone else UTC,
            reason_code=moved.reason_code,
        )
        await grant_for_delay(tx, delay, authority)

    return on_promise_renegotiated
