"""What the customer service tells."""

from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.inbox import aliases
from chassis.inbox.subscription import Handler
from loyalty.domain.value import ValueFormula
from loyalty.store.purchases import LOCK_VALUES
from loyalty.usecases.qualify import qualify_by_purchases
from loyalty.usecases.values import move_bands
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged


def bands_of_merged(formula: ValueFormula) -> Handler:
    """Puts who became one, or two again, in the band of all that they are worth."""

    async def on_regrouped(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> None:
        names = await aliases.learn(tx, event)
        await move_bands(tx, await LOCK_VALUES.all(tx, customer_ids=names), formula)
        await qualify_by_purchases(tx, names)

    return on_regrouped
