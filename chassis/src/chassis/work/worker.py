"""What a service brings for one kind of work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from chassis.backoff import Backoff
from chassis.work.item import Work
from chassis.work.outcome import Outcome

if TYPE_CHECKING:
    from chassis.db.transaction import Transaction
    from chassis.work.turn import Turn


class Worker(Protocol):
    """Does one kind of work. The runner calls, in this order: `act`, in it `Turn.hand_over`, then `record`.

    Attributes:
        kind: as given to `enqueue`.
        at_once: how much of it one process does side by side; more is not claimed.
        prepare_time: how long `act` may take until it hands over. A claim is leased a little longer.
        answer_time: how long the other side may take to answer after that. As above.
        retries: the pauses between attempts.
    """

    kind: str
    at_once: int
    prepare_time: timedelta
    answer_time: timedelta
    retries: Backoff

    async def act(self, work: Work, turn: Turn) -> Any:
        """Do it, outside of any transaction. What it returns is the result of an outcome DONE.

        Call `turn.hand_over` before anything leaves that cannot be called back, and `turn.commit_to_it` right
        before the last of it does. NotDone when it was not done, and that is sure. After `commit_to_it` any
        other exception means that the outcome is unknown; before, that it is tried again later.
        """
        ...

    async def lock(self, tx: Transaction, key: str) -> Any:
        """Lock and return what the work is about: first in every transaction, so locks have one order."""
        ...

    async def handing_over(self, tx: Transaction, subject: Any, work: Work, about: Any) -> bool:
        """Note that an attempt begins, by what `act` gave `hand_over`. False when the subject has changed."""
        ...

    async def record(self, tx: Transaction, subject: Any, work: Work, attempt: int, outcome: Outcome) -> None:
        """Keep what is known of an attempt and what became of the work: `work.state` says.

        May be called twice with the same, and late, for an attempt that others have followed. `attempt` is 0
        when the work expired.
        """
        ...
