"""Going from customer to customer, a page in each step: what jobs and walks have in common."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.work import Work
from notifications.peers.selection import Selection


@dataclass(eq=False)
class Stepping:
    """A worker that takes steps: see `chassis.work.Worker`.

    It changes nothing until it is recorded, in one transaction, so it never hands over: a step that died is
    taken again, here or by another replica.
    """

    db: Database
    selection: Selection
    per_customer: int  # notices that a customer is sent within a day: of one purpose, or of a policy
    at_once: int = 2
    prepare_time: timedelta = timedelta(minutes=1)
    answer_time: timedelta = timedelta(minutes=1)
    retries: Backoff = RETRIES

    async def handing_over(self, tx: Transaction, subject: Any, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True
