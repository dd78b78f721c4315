"""Taking back links to customers' own pages: what was made before opens nothing any more."""

from collections.abc import Collection
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from customer.domain.links import LinkGeneration
from customer.store import links as store
from customer.usecases.customers import lock_customer


async def revoke_links(tx: Transaction, *, customer_id: UUID, reason_code: str) -> None:
    """Take back every link that a customer ever got, by whichever of their names. NotFound."""
    await lock_customer(tx, customer_id)
    tx.because(reason_code)
    await take_back(tx, (await groups_of(tx, [customer_id])).everybody)


async def take_back(tx: Transaction, names: Collection[UUID]) -> None:
    """Have what was made for these names open nothing any more. Whose they are is locked."""
    over = [LinkGeneration(name, 1, tx.now) for name in sorted(names)]
    await store.TAKE_BACK.rows(tx, over)
    for each in over:
        tx.touch(each.customer)
