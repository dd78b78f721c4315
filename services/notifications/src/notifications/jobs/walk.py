"""Walking over the customers of a day: what the chassis' queue does with a step."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from chassis.db.transaction import Transaction
from chassis.work import Outcome, Turn, Verdict, Work
from chassis.work.item import not_answered
from notifications.domain.customer_date import filter_of, policy_id_of
from notifications.jobs.stepping import Stepping
from notifications.store.tables import LATEST_POLICY
from notifications.store.walks import WALK
from notifications.usecases.customer_dates import tell_some
from notifications.usecases.notice_job import Page
from notifications.usecases.walk import CUSTOMER_DATE_WALK, again, lock_walk, telling_on

PAGE = 50  # customers of one step
_NOBODY = Page([], "")


@dataclass(eq=False)
class Walking(Stepping):
    """The worker that takes a step of a walk."""

    kind: str = CUSTOMER_DATE_WALK

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

    async def record(
        self, tx: Transaction, subject: None, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Request what is to be requested, unless the policy was changed meanwhile."""
        if outcome.verdict is Verdict.DONE:
            await tell_some(tx, self.per_customer, work.key, outcome.result)
        elif outcome.verdict is Verdict.EXPIRED and (walk := await lock_walk(tx, work.key)):
            await again(tx, walk)
