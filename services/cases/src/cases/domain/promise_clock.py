"""What the clock, and the forecast of the work that it rests on, make of a promise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cases.domain.promise import Promise
from cases.domain.work_item import WorkItem

Facts = list[tuple[Any, int]]  # each with the promise's version after it


@dataclass(frozen=True, slots=True)
class PromiseClock:
    """When the clock acts on a promise."""

    # How long before the due time an unkept promise is at risk. A promise that is due in less than twice as
    # long is at risk when half of its time is over.
    lead: timedelta
    grace: timedelta  # how long after the due time an unkept promise is broken

    def at_risk_at(self, promise: Promise) -> datetime:
        """When the promise is at risk."""
        return promise.due_time - min(self.lead, (promise.due_time - promise.make_time) / 2)

    def broken_at(self, promise: Promise) -> datetime:
        """When the promise is broken."""
        return promise.due_time + self.grace


def team_of(promise: Promise, work_item: WorkItem | None) -> str | None:
    """The team that has the work which a promise rests on; while another department has it, who had it."""
    ours = work_item and work_item.department_id == promise.department_id
    return work_item.team_id if work_item and ours else promise.team_id


def compared(promise: Promise, work_item: WorkItem, clock: PromiseClock, now: datetime) -> Facts:
    """What the work says of the promise: its forecast, and whether it and what it waits for can go on.

    One that recovers when due soon is at risk by the clock.
    """
    facts: Facts = []
    if work_item.forecast_finish_time and (
        fact := promise.expect(work_item.forecast_finish_time, work_item.forecast_reason_code)
    ):
        facts.append((fact, promise.version))
    if fact := promise.unblock() if work_item.can_go_on else promise.block():
        facts.append((fact, promise.version))
    is_near = bool(facts) and clock.at_risk_at(promise) <= now
    if is_near and (soon := promise.due_soon(unattended=work_item.unattended)):
        facts.append((soon, promise.version))
    return facts
