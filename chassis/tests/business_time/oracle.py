"""Business time by looking at the clock on the wall each minute: slow, and plainly right."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.business_time import Schedule

MINUTE = timedelta(minutes=1)


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the wall clock shows a time inside a window of its day."""
    wall = at.astimezone(schedule.zone)
    day, minute = wall.date(), wall.hour * 60 + wall.minute
    if day in schedule.exceptions:
        windows = schedule.exceptions[day].windows
    elif any(day in holidays.on(day.year) for holidays in schedule.holidays):
        windows = ()
    else:
        windows = schedule.week[day.weekday()]
    return any(opens <= minute < closes for opens, closes in windows)


def minutes(schedule: Schedule, start: datetime, end: datetime) -> int:
    """The open minutes from `start` to `end`, whole minutes both."""
    at, last, found = start.astimezone(UTC), end.astimezone(UTC), 0
    while at < last:
        found += is_open(schedule, at)
        at += MINUTE
    return found


def add(schedule: Schedule, start: datetime, many: int, *, most: int) -> datetime | None:
    """When so many open minutes have passed; None when they have not in `most` minutes."""
    at = start.astimezone(UTC)
    for _ in range(most):
        if many == 0:
            return at
        many -= is_open(schedule, at)
        at += MINUTE
    return at if many == 0 else None


def transitions(zone: ZoneInfo, year: int) -> list[datetime]:
    """When the clocks change in a year, to the minute."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    hours = [at + timedelta(hours=n) for n in range(366 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hour for hour, a, b in zip(hours[1:], offsets, offsets[1:], strict=False) if a != b]
