"""Locking customers by whichever of their names, so that they stay whose they are."""

from collections.abc import Collection
from uuid import UUID

from chassis.db.aliases import Groups, groups_of
from chassis.db.transaction import Transaction
from customer.domain.customers import Customer
from customer.store.tables import KEPT_CUSTOMERS, LOCKED_CUSTOMERS


async def lock_people(
    tx: Transaction, names: Collection[UUID], *, sharing: bool = False
) -> tuple[Groups, dict[UUID, Customer]]:
    """Who has these names, and the customers of these and of the names that survive, locked.

    A merge locks those that survive: nobody is merged, or taken apart, once they are locked here. Who is not
    there is left out. With `sharing` others may do the same at once, and nobody changes them.
    """
    lock = KEPT_CUSTOMERS if sharing else LOCKED_CUSTOMERS
    groups = await groups_of(tx, names)
    while True:
        wanted = {*names, *groups.members}
        customers = {each.id: each for each in await lock.all(tx, ids=sorted(wanted))}
        groups = await groups_of(tx, names)
        if wanted >= groups.members.keys():
            return groups, customers
