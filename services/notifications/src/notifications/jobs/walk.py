"""Walking over the customers of a day: what the chassis' queue does with a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc

from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.work import Outcome, Turn, Verdict, Work
from chassis.work.item import not_answered
from notifications.domain.customer_date import filter_of, policy_id_of
from notifications.peers.selection import Selection
from notifications.store.tables import LATEST_POLICY
from notifications.store.walks import WALK
from notifications.usecases.customer_dates import tell_some
from notifications.usecases.notice_job import Page
from notifications.usecases.walk import CUSTOMER_DATE_WALK, again, lock_walk, telling_on

PAGE = 50  # customers of one step
_NOBODY = Page([], "")


@dataclass(eq=False)
class Walking:
    """The worker that takes a step of a walk: see `chassis.work.Worker`.

    It changes nothing until it is recorded, in one transaction, as a step of a notice job.
    """

    db: Database
    selection: Selection
    per_customer: int  # notices of a policy that a customer is sent within a day
    kind: str = CUSTOMER_DATE_WALK
    at_once: int = 2
    prepare_time: timedelta = timedelta(minutes=1)
    answer_time: timedelta = timedelta(minutes=1)
    retries: Backoff = RETRIES

    async def act(self, work: Work, turn: Turn) -> Page:
        """Find the next customers."""
        walk = await WALK.maybe(self.db, notice_policy_id=policy_id_of(work.key))
        if walk is None or walk.work_key != work.key:
            return _NOBODY
        policy, now = await LATEST_POLICY.one(self.db, id=walk.notice_policy_id), self.db.clock.now()
        if policy.customer_date is None:  # by now
            return _NOBODY
        on, when = telling_on(policy, walk.day)
        if when.expire_time <= now:
            return _NOBODY
        try:
            return await self.selection.page(filter_of(on), now, walk.page_token, PAGE)
        except grpc.aio.AioRpcError as error:
            raise not_answered("customer", error) from None

    async def lock(self, tx: Transaction, key: str) -> None:
        """Nothing yet: the customers go first, whom `record` knows."""

    async def handing_over(self, tx: Transaction, subject: None, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

    async def record(
        self, tx: Transaction, subject: None, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Request what is to be requested, unless the policy was changed meanwhile."""
        if outcome.verdict is Verdict.DONE:
            await tell_some(tx, self.per_customer, work.key, outcome.result)
        elif outcome.verdict is Verdict.EXPIRED and (walk := await lock_walk(tx, work.key)):
            await again(tx, walk)
