"""What a clock should be like, and what is wrong with one that is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cases.domain.clock import Clock, ClockState
from cases.domain.reckoning import BusinessTime
from cases.domain.standstill import standstill
from cases.domain.work_item import WorkItem


class Flaw(StrEnum):
    """How a clock was not as it should be."""

    MISSING = "MISSING"
    SETTLED = "SETTLED"
    DEPARTMENT = "DEPARTMENT"
    CALENDAR = "CALENDAR"
    PAUSE = "PAUSE"
    DUE_TIME = "DUE_TIME"
    TIMER = "TIMER"


@dataclass(frozen=True, slots=True)
class Around:
    """What a clock is to be compared with: what it is about, its calendar, and when it is looked at again.

    `newer` is the version of its calendar that it should go by, with that, if that is a later one.
    """

    now: datetime
    department_id: str
    calendar: BusinessTime
    newer: tuple[int, BusinessTime] | None = None
    done_time: datetime | None = None
    items: Sequence[WorkItem] = field(default_factory=list)
    due_timer: datetime | None = None
    warning_timer: datetime | None = None


def mend(clock: Clock, around: Around) -> Iterator[tuple[Flaw, Any]]:
    """Make a clock that is neither done nor late what it should be: each flaw, with the fact that it was one.

    Without a fact nothing of the clock itself was wrong.
    """
    calendar, as_it_was = around.calendar, True
    if around.done_time and (fact := clock.fulfill(max(around.done_time, clock.start_time), calendar)):
        yield Flaw.SETTLED, fact
        return
    if handed := clock.hand_over(around.department_id):
        as_it_was = False
        yield Flaw.DEPARTMENT, handed
    if around.newer and (followed := clock.follow(*around.newer)):
        as_it_was, calendar = False, around.newer[1]
        yield Flaw.CALENDAR, followed
    if mended := clock.mend(calendar):
        as_it_was = False
        yield Flaw.DUE_TIME, mended
    still = standstill(clock.pauses, around.items, clock.work_item_id)
    if stood := clock.stand_still(around.now, still, calendar):
        as_it_was = False
        yield Flaw.PAUSE, stood
    if as_it_was and timers_of(clock) != (around.due_timer, around.warning_timer):
        yield Flaw.TIMER, None


def timers_of(clock: Clock) -> tuple[datetime | None, datetime | None]:
    """When it is to be looked at because its time is up, and because it is soon; None is never."""
    due = None if clock.is_decided else clock.due_time
    return due, clock.warning_time if clock.state is ClockState.RUNNING else None
