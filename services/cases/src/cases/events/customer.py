"""What the customer service tells: what is known of all names of a customer makes their cases pressing."""

from cases.usecases.case_link import unmerge_across
from cases.usecases.standing import prioritize_again
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.inbox.aliases import learn
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged


async def regrouped(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> None:
    """Learn whose each name is, and look at their cases again; what was merged of two is taken apart."""
    customers = await learn(tx, event)
    await unmerge_across(tx, customers)
    for customer_id in customers:
        await prioritize_again(tx, customer_id)
