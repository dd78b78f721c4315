"""What the loyalty service tells."""

from cases.domain.priority import Band
from cases.names import CUSTOMER
from cases.usecases.standing import value_changed
from chassis.api.messages import value_name
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged


async def on_value_changed(tx: Transaction, event: Event[CustomerValueChanged]) -> None:
    """What a customer is worth makes their cases pressing. A band of a later release is none of ours."""
    (customer_id,) = CUSTOMER.parse(event.data.customer)
    if band := Band.__members__.get(value_name(event.data, "band")):
        await value_changed(tx, customer_id, band, event.resource_version)
