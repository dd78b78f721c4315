"""What is seen of a customer elsewhere is to be brought up to date."""

from datetime import timedelta
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.work import enqueue

SHOW = "section"
USE = timedelta(days=7)  # for so long a customer service that is away is waited for


async def show(tx: Transaction, customer_id: UUID) -> None:
    """Have a customer's section written again, once this has committed."""
    key = f"{customer_id}/{tx.id}"  # by change: what is read for one may be read before the next commits
    await enqueue(tx, SHOW, key, due_at=tx.now, expire_at=tx.now + USE)
