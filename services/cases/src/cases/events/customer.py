"""What the customer service tells: what is known of all names of a customer makes their cases pressing."""

from cases.usecases.standing import prioritize_again
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.inbox.aliases import learn
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged


async def regrouped(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> None:
    """Learn whose each name is, and look at their cases again."""
    for customer_id in await learn(tx, event):
        await prioritize_again(tx, customer_id)
