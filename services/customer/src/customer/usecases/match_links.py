"""Links between customers who are one: who is linked, and how matching makes a link, which is a merge."""

from collections.abc import Collection, Iterable
from uuid import UUID

from chassis.db import aliases
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from customer.domain.match_board import Group
from customer.domain.matches import Pair
from customer.store import matches as store
from customer.store.tables import LOCKED_CUSTOMERS
from customer.usecases.hot_views import HotViews
from customer.usecases.merges import decide_alone, merge_customers

MERGE_REASON = "match"
REACHED_MAX = 2000


async def groups_of(on: Executor, customer_ids: Collection[UUID]) -> set[Group]:
    """Who is one with each of these, itself included."""
    groups = await aliases.groups_of(on, customer_ids)
    return {frozenset(members) for members in groups.members.values()}


async def members(on: Executor, customer_ids: Collection[UUID]) -> set[UUID]:
    """These and who is one with any of them."""
    return set((await aliases.groups_of(on, customer_ids)).everybody)


async def reached(tx: Transaction, customer_ids: Collection[UUID]) -> set[UUID]:
    """These and whoever is linked with them or would be by itself, directly or by others."""
    found: set[UUID] = set()
    ahead = set(customer_ids)
    while not ahead <= found and len(found) < REACHED_MAX:
        found |= ahead
        rows = await store.WOULD_BE_LINKED_WITH.all(tx, customer_ids=list(ahead), limit=REACHED_MAX)
        ahead = await members(tx, ahead | {row["customer_id"] for row in rows})
    return found | ahead


async def lock_for_links(tx: Transaction, pairs: Iterable[Pair]) -> None:
    """Lock all whom links are about, in one order: who locks one by one may wait in a circle."""
    await decide_alone(tx)
    groups = await aliases.groups_of(tx, {each for pair in pairs for each in pair})
    await LOCKED_CUSTOMERS.all(tx, ids=sorted(groups.members))


async def link(tx: Transaction, hot: HotViews, survivor_id: UUID, merged_id: UUID) -> None:
    """Make two one, as the doing of whoever acts. Refusals as of `merge_customers`."""
    await merge_customers(tx, hot, survivor_id=survivor_id, merged_id=merged_id, reason_code=MERGE_REASON)
