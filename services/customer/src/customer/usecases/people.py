"""Locking customers by whichever of their names, so that they stay whose they are."""

from collections.abc import Collection
from uuid import UUID

from chassis.db.aliases import Groups, groups_of
from chassis.db.transaction import Transaction
from customer.domain.customers import Customer
from customer.store.tables import LOCKED_CUSTOMERS


async def lock_people(tx: Transaction, names: Collection[UUID]) -> tuple[Groups, dict[UUID, Customer]]:
    """Who has these names, and the customers of these and of the names that survive, locked.

    A merge locks those that survive: nobody is merged, or taken apart, once they are locked here. Who is not
    there is left out.
    """
    groups = await groups_of(tx, names)
    while True:
        wanted = {*names, *groups.members}
        customers = {each.id: each for each in await LOCKED_CUSTOMERS.all(tx, ids=sorted(wanted))}
        groups = await groups_of(tx, names)
        if wanted >= groups.members.keys():
            return groups, customers
