"""What goes on after the call that asked for it: timers, which survive restarts and fire once."""

from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.work.timers import Timer, TimerHandler
from customer.usecases.hot_views import HotViews
from customer.usecases.imports import apply_chunk
from customer.usecases.sections import redraw


def apply_import(relationship_manager: str) -> TimerHandler:
    """Applies a chunk of the rows of a committed import; new customers get `relationship_manager`."""

    async def apply(tx: Transaction, timer: Timer) -> None:
        await apply_chunk(tx, UUID(timer.key), relationship_manager)

    return apply


def redraw_sections(hot: HotViews) -> TimerHandler:
    """Draws sections anew after their schema has changed; `hot` forgets the views that it changes."""

    async def handle(tx: Transaction, timer: Timer) -> None:
        await redraw(tx, timer.key, hot)

    return handle
