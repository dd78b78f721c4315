"""What the clock tells."""

from uuid import UUID

from cases.usecases.promise import break_promise, promise_due_soon
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer


async def promise_at_risk(tx: Transaction, timer: Timer) -> None:
    """A promise is due soon."""
    await promise_due_soon(tx, UUID(timer.key))


async def promise_due(tx: Transaction, timer: Timer) -> None:
    """A promise's due time and grace are over."""
    await break_promise(tx, UUID(timer.key))
