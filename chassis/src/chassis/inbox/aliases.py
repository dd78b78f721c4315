"""A service that keeps things of customers learns here which of their names are one.

service = Service("cases", ..., listens=[aliases.listening("cases"), ...])
app.subscribe(aliases.listening(app.name).durable, aliases.regrouped)
"""

from uuid import UUID

from chassis.db.aliases import regroup
from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from chassis.names import Pattern
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged

_CUSTOMER = Pattern("customers/{customer}")


def listening(service: str) -> Listening:
    """What such a service declares."""
    return Listening(f"{service}-aliases", "customer", [CustomersMerged, CustomerMergeUndone])


async def learn(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> list[UUID]:
    """Keep whose each name is, whatever the order in which merges arrive; whose names those are."""
    told = event.data
    ids = zip(told.customers, told.survivors, strict=True)
    survivors = {_CUSTOMER.ids(customer)[0]: _CUSTOMER.ids(survivor)[0] for customer, survivor in ids}
    await regroup(tx, survivors, told.sequence, event.time)
    return list(survivors)


async def regrouped(tx: Transaction, event: Event[CustomersMerged | CustomerMergeUndone]) -> None:
    """Do no more than `learn`: a service in which nothing is one for each customer."""
    await learn(tx, event)
