"""Who waited how long for whom, by the clock and by the hours of who got the work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any

from cases.store.handoff_report import CALENDARS_OF_DEPARTMENTS, PAIRS_MAX, REPORT_HANDOFFS
from cases.usecases.calendar import calendars
from chassis.business_time import Calendar
from chassis.db.database import Database

BEFORE = timedelta(days=366)  # by which a case that was merged into one of a period may be older


@dataclass
class Hours:
    """When calendars are open, as the report reads it: see `store.handoff_report`. Seconds since 1970."""

    calendars: list[int] = field(default_factory=lambda: [0])
    opens: list[float] = field(default_factory=lambda: [0.0])
    shifts: list[float] = field(default_factory=lambda: [0.0])
    caps: list[float] = field(default_factory=lambda: [inf])

    def _window(self, calendar: int, opens: float, shift: float, cap: float) -> None:
        self.calendars.append(calendar)
        self.opens.append(opens)
        self.shifts.append(shift)
        self.caps.append(cap)

    def add(self, calendar: Calendar, start: datetime, end: datetime) -> int:
        """The number of a calendar, of which it is known now when it is open between two moments."""
        number, before = self.calendars[-1] + 1, 0.0
        self._window(number, 0.0, 0.0, 0.0)
        for opens, closes in calendar.intervals(start, end):
            began, lasts = opens.timestamp(), (closes - opens).total_seconds()
            self._window(number, began, before - began, before + lasts)
            before += lasts
        return number


async def report_handoffs(
    db: Database, start: datetime, end: datetime, topic: str
) -> tuple[dict[str, Any], Sequence[dict[str, Any]]]:
    """The totals, and the pairs of departments, by the names of their columns.

    What has not ended counts until now. A department that names no calendar is open always.
    """
    now, hours = db.clock.now(), Hours()
    numbers: dict[tuple[str, int], int] = {}
    named: dict[str, int] = {}
    for row in await CALENDARS_OF_DEPARTMENTS.all(db):
        key = row["calendar_id"], row["version"]
        if key not in numbers:
            numbers[key] = hours.add(await calendars(db).of(db, *key), start - BEFORE, now)
        named[row["id"]] = numbers[key]
    rows = await REPORT_HANDOFFS.all(
        db,
        start_time=start,
        end_time=end,
        topic=topic,
        now=now,
        most=PAIRS_MAX,
        departments=list(named),
        calendars_of=list(named.values()),
        **vars(hours),
    )
    found = [dict(row) for row in rows]
    totals = {name: found[0][name] for name in _TOTALS}
    pairs = [{name: row[name] for name in row if name not in _TOTALS} for row in found]
    return totals, [pair for pair in pairs if pair["department_id"] is not None]


_TOTALS = (
    "case_count",
    "open_case_count",
    "end_to_end_seconds",
    "median_end_to_end_seconds",
    "worked_seconds",
)
