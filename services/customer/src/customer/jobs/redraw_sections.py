"""Drawing sections anew after their schema has changed: a timer, which comes back until all are drawn."""

from chassis.db.transaction import Transaction
from chassis.work.timers import Timer, TimerHandler
from customer.usecases.hot_views import HotViews
from customer.usecases.sections import redraw


def redraw_sections(hot: HotViews) -> TimerHandler:
    """The timer's handler; `hot` forgets the views that it changes."""

    async def handle(tx: Transaction, timer: Timer) -> None:
        await redraw(tx, timer.key, hot)

    return handle
