"""Links between customers who are one: who is linked, and how matching makes a link, which is a merge."""

from collections.abc import Collection, Iterable
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from customer.domain.matches import Pair
from customer.store import matches as store
from customer.usecases.hot_views import HotViews
from customer.usecases.merges import merge_customers
from customer.usecases.people import lock_people
from customer.usecases.views import locked_views

MERGE_REASON = "match"
REACHED_MAX = 2000


async def reached(tx: Transaction, customer_ids: Collection[UUID]) -> set[UUID]:
    """These and whoever is linked with them or would be by itself, directly or by others."""
    found: set[UUID] = set()
    ahead = set(customer_ids)
    while not ahead <= found and len(found) < REACHED_MAX:
        found |= ahead
        rows = await store.WOULD_BE_LINKED_WITH.all(tx, customer_ids=list(ahead), limit=REACHED_MAX)
        ahead = set((await groups_of(tx, ahead | {row["customer_id"] for row in rows})).everybody)
    return found | ahead


async def lock_for_links(tx: Transaction, pairs: Iterable[Pair]) -> None:
    """Lock all whom links are about, and their views, in one order: one by one it may be a circle."""
    groups, _ = await lock_people(tx, {each for pair in pairs for each in pair})
    await locked_views(tx, groups.everybody)


async def link(tx: Transaction, hot: HotViews, survivor_id: UUID, merged_id: UUID) -> None:
    """Make two one, as the doing of whoever acts. Refusals as of `merge_customers`."""
    await merge_customers(tx, hot, survivor_id=survivor_id, merged_id=merged_id, reason_code=MERGE_REASON)
