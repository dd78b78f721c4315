"""Comparing a promise with the forecast of the work that it rests on."""

from datetime import datetime
from typing import Any

from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.domain.work_item import WorkItem

Facts = list[tuple[Any, int]]  # each with the promise's version after it


def compared(promise: Promise, work_item: WorkItem, clock: PromiseClock, now: datetime) -> Facts:
    """What the forecast says of the promise. One that recovers when due soon is at risk by the clock."""
    if work_item.forecast_finish_time is None:
        return []
    facts: Facts = []
    if fact := promise.expect(work_item.forecast_finish_time, work_item.forecast_reason_code):
        facts.append((fact, promise.version))
        if clock.at_risk_at(promise) <= now and (soon := promise.due_soon()):
            facts.append((soon, promise.version))
    return facts
