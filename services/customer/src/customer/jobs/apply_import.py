"""Applying the rows of a committed import: a timer for each chunk, which survives restarts and fires once."""

from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.work.timers import Timer, TimerHandler
from customer.usecases.imports import apply_chunk


def apply_import(relationship_manager: str) -> TimerHandler:
    """The timer's handler; new customers get `relationship_manager`."""

    async def apply(tx: Transaction, timer: Timer) -> None:
        await apply_chunk(tx, UUID(timer.key), relationship_manager)

    return apply
