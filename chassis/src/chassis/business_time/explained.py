"""Business time step by step: which windows of which days count, and why others do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chassis.business_time.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Step:
    """What one day adds: from when until when it is open, in the calendar's zone, and why so.

    `reason` is `weekly hours`, `holiday: Christmas Day` or `exception: Stocktaking`; a day without `parts` is
    closed for it. `elapsed` is what the parts sum up to.
    """

    day: date
    parts: tuple[tuple[datetime, datetime], ...]
    elapsed: timedelta
    reason: str

    def __str__(self) -> str:
        weekday = f"{self.day:%a} {self.day}"
        if not self.parts:
            return f"{weekday}  closed  ({self.reason})"
        windows = ", ".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in self.parts)
        return f"{weekday}  {windows}  {self.elapsed // timedelta(minutes=1)} min  ({self.reason})"


def explain(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Step]:
    """Each day from `start` to `end`, in order; what they add is `calendar.elapsed(start, end)`.

    They are made as they are asked for: whoever needs few of very many takes those.
    """
    zone, start, end = calendar.schedule.zone, start.astimezone(UTC), end.astimezone(UTC)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        following = day + timedelta(days=1)
        begins, ends = max(start, _midnight(day, zone)), min(end, _midnight(following, zone))
        parts = tuple(calendar.intervals(begins, ends)) if begins < ends else ()
        yield Step(
            day,
            tuple((opens.astimezone(zone), closes.astimezone(zone)) for opens, closes in parts),
            sum((closes - opens for opens, closes in parts), timedelta()),
            calendar.schedule.plan(day).reason,
        )
        day = following


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, in UTC: where the clocks skip midnight, at the first moment after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
