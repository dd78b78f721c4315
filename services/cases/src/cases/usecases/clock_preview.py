"""What would become of clocks if their calendar were another."""

from dataclasses import dataclass, field
from datetime import datetime

from cases.domain.clock import BusinessTime, Clock
from cases.names import CALENDAR
from cases.store import clocks as store
from cases.store.calendars import CALENDAR as LATEST
from chassis.api.entities import found
from chassis.db.statement import Executor

CHECKED_MAX, MOVES_MAX = 1_000, 100


@dataclass(frozen=True, slots=True)
class Move:
    """A clock whose time would be up at another moment; None is never."""

    clock: str
    due_time: datetime | None
    new_due_time: datetime | None


@dataclass(slots=True)
class Preview:
    """How many clocks go by the calendar, how many were looked at, and what would become of those."""

    clock_count: int
    checked_count: int = 0
    moved_count: int = 0
    breached_count: int = 0
    moves: list[Move] = field(default_factory=list)

    def look_at(self, clock: Clock, calendar: BusinessTime, now: datetime) -> None:
        """Let a clock, which nobody keeps, go by the calendar as it would be."""
        before = clock.due_time
        clock.follow(clock.calendar_version + 1, calendar)
        self.checked_count += 1
        if clock.due_time == before:
            return
        self.moved_count += 1
        self.breached_count += clock.due_time is not None and clock.due_time <= now
        if len(self.moves) < MOVES_MAX:
            self.moves.append(Move(clock.name, before, clock.due_time))


async def preview_calendar(on: Executor, calendar_id: str, calendar: BusinessTime, now: datetime) -> Preview:
    """Look at the oldest clocks that go by a calendar. NotFound."""
    await found(on, CALENDAR, LATEST, calendar_id)
    (count,) = await store.COUNT_FOLLOWING.one(on, calendar_id=calendar_id)
    preview = Preview(count)
    for clock in await store.SOME_FOLLOWING.all(on, calendar_id=calendar_id, limit=CHECKED_MAX):
        preview.look_at(clock, calendar, now)
    return preview
