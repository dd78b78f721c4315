"""What a clock is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from cases.domain.case import Case
from cases.domain.clock_policy import ClockMetric, Subject
from cases.domain.promise import Promise
from cases.domain.promise_state import PromiseState
from cases.domain.work_item import WorkItem


@dataclass(frozen=True, slots=True)
class About:
    """A case; or a work item, with its case; or a promise, with its case, if it is on one."""

    case: Case | None
    work_item: WorkItem | None = None
    promise: Promise | None = None

    @property
    def subject(self) -> Subject:
        """Which policies are about it."""
        if self.promise:
            return Subject.PROMISE
        return Subject.WORK_ITEM if self.work_item else Subject.CASE

    @property
    def _itself(self) -> Case | WorkItem | Promise:
        return self.promise or self.work_item or cast(Case, self.case)

    @property
    def department_id(self) -> str:
        """Whose time it is."""
        return self._itself.department_id

    @property
    def customer_id(self) -> UUID:
        """Who waits."""
        return self._itself.customer_id


def owed(promise: Promise) -> set[ClockMetric]:
    """What is owed to the customer because of how a promise stands."""
    if not promise.awaited or promise.state is PromiseState.OPEN:
        return set()
    owes = {ClockMetric.DELAY_NOTIFICATION} if promise.delay_notify_time is None else set()
    return owes | ({ClockMetric.NEXT_PROMISE} if promise.state is PromiseState.BROKEN else set())


def settled_at(metric: ClockMetric, promise: Promise, changed_at: datetime) -> datetime:
    """When what was owed because of a promise was done, which is owed no more since it changed.

    Who was told of a delay has no other promise by that.
    """
    told = promise.delay_notify_time if metric is ClockMetric.DELAY_NOTIFICATION else None
    return told or promise.keep_time or changed_at
