"""From prospects to customers, by what they buy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.customers import Customer
from customer.domain.facts import CustomerConverted
from customer.store.tables import BUYERS
from customer.usecases.customers import save
from customer.usecases.people import lock_people


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase, and the call that what told us of it is."""

    customer_id: UUID
    purchase: str
    purchase_time: datetime
    call: Call


async def convert(tx: Transaction, bought: Sequence[Bought]) -> None:
    """Make customers of the prospects among those who bought, and tell, of the oldest purchase of these.

    Told once of each name that bought, so that it stays true of it when a merge is undone. Who is not here is
    nobody's prospect: a customer is known here before anywhere else.
    """
    oldest_first = sorted(bought, key=lambda each: each.purchase_time)
    groups, customers = await lock_people(tx, {each.customer_id for each in oldest_first})
    changed: dict[UUID, Customer] = {}
    for each in oldest_first:
        buyer, customer = customers.get(each.customer_id), customers.get(groups.survivors[each.customer_id])
        if buyer is None or customer is None or buyer.bought:
            continue
        buyer.bought = True
        if not customer.convert(tx.now) or buyer is not customer:
            buyer.touch(tx.now)
        changed |= {buyer.id: buyer, customer.id: customer}
        tx.act(each.call)
        told = {"purchase": each.purchase, "purchase_time": each.purchase_time}
        tx.record(fact_of(CustomerConverted, buyer, **told), version=buyer.version)
    if changed:
        await save(tx, list(changed.values()))


async def regrouped(tx: Transaction, whose: Mapping[UUID, UUID], customers: Sequence[Customer]) -> None:
    """Have those who survive a merge, or its undoing, be prospects unless one of their names bought."""
    buyers = {whose[row["id"]] for row in await BUYERS.all(tx, ids=sorted(whose))}
    for customer in customers:
        customer.prospect = customer.id not in buyers
