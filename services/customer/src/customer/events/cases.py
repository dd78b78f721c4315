"""Calls to customers: a number that is not theirs reaches nobody any more."""

from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from customer.names import IDENTIFIER
from customer.usecases.identifiers import number_failed
from rapport.cases.v1.call_pb2 import CALL_OUTCOME_WRONG_NUMBER
from rapport.cases.v1.cases_events_pb2 import WorkItemCalled

CALLS = Listening("customer-calls", "cases", [WorkItemCalled])


async def on_called(tx: Transaction, event: Event[WorkItemCalled]) -> None:
    """Note which number was wrong."""
    number = IDENTIFIER.match(event.data.identifier)
    if event.data.outcome == CALL_OUTCOME_WRONG_NUMBER and number:
        customer_id, identifier_id = number
        await number_failed(tx, customer_id, identifier_id, event.time)
