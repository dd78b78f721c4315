"""Learning how customers are matched: what the queue of work does for a job that has come that far."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.work import Outcome, Turn, Verdict, Work
from customer.domain.match_jobs import JobState, MatchJob, NotLearned
from customer.store import matches as store
from customer.usecases.match_jobs import LEARN, learned
from customer.usecases.match_training import Learned, learn


@dataclass(eq=False)
class Learning:
    """The worker that learns parameters: see `chassis.work.Worker`.

    It changes nothing until it is recorded, in one short transaction, so it never hands over: an attempt
    that died, or took too long, is made again, here or by another replica.
    """

    db: Database
    kind: str = LEARN
    at_once: int = 1
    prepare_time: timedelta = timedelta(minutes=5)
    answer_time: timedelta = timedelta(minutes=1)
    retries: Backoff = RETRIES

    async def act(self, work: Work, turn: Turn) -> Learned | NotLearned:
        """Learn, or say why not."""
        return await learn(self.db)

    async def lock(self, tx: Transaction, key: str) -> MatchJob:
        return await store.LOCKED_JOB.one(tx, id=UUID(key))

    async def handing_over(self, tx: Transaction, subject: MatchJob, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

    async def record(
        self, tx: Transaction, subject: MatchJob, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Have the job go on once it was learned, or could not be for long."""
        if subject.state is JobState.RUNNING and outcome.verdict in (Verdict.DONE, Verdict.EXPIRED):
            tx.touch(subject.name)
            done = outcome.verdict is Verdict.DONE
            await learned(tx, subject, outcome.result if done else NotLearned.TOO_LONG)
