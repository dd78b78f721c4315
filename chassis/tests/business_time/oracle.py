"""Business time by looking at the clock on the wall each minute: slow, and plainly right."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from chassis.business_time import Schedule, Window

MINUTE = timedelta(minutes=1)


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the wall clock shows a time inside a window of its day."""
    [shown] = shows_open(schedule, at, 1)
    return shown


def shows_open(schedule: Schedule, start: datetime, many: int) -> list[bool]:
    """Of each minute from `start` on whether it is open."""
    minutes_of = cache(lambda day: {n for window in windows_of(schedule, day) for n in range(*window)})
    found, at = [], start.astimezone(UTC)
    for _ in range(many):
        wall = at.astimezone(schedule.zone)
        found.append(wall.hour * 60 + wall.minute in minutes_of(wall.date()))
        at += MINUTE
    return found


def windows_of(schedule: Schedule, day: date) -> Sequence[Window]:
    if day in schedule.exceptions:
        return schedule.exceptions[day].windows
    if any(day in holidays.on(day.year) for holidays in schedule.holidays):
        return ()
    return schedule.week[day.weekday()]


def transitions(zone: ZoneInfo, year: int) -> list[datetime]:
    """When the clocks change in a year, to the minute."""
    begin = datetime(year, 1, 1, tzinfo=UTC)

    def change(one: int, other: int) -> bool:
        at, then = ((begin + timedelta(hours=n)).astimezone(zone).utcoffset() for n in (one, other))
        return at != then

    days = [day * 24 for day in range(366) if change(day * 24, day * 24 + 24)]
    return [begin + timedelta(hours=n + 1) for day in days for n in range(day, day + 24) if change(n, n + 1)]
