"""Days, where the customer lives: until when one lasts, and when it has come to an hour of it."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo

from chassis.zones import day_of

Day = TypeVar("Day", bound=date)

_EAST = timedelta(hours=14)  # where a day begins first on earth, before UTC
_WEST = timedelta(hours=12)  # and where it begins last, after UTC
_A_DAY = timedelta(hours=26)  # the longest, and what clocks may be moved between two


def due(new_date: str, time_zone: str) -> tuple[datetime, date | None]:
    """By when a date that is told, RFC 3339, is due; and the day that it is, None of a moment."""
    if "T" in new_date:
        return datetime.fromisoformat(new_date), None
    day = date.fromisoformat(new_date)
    ends = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(time_zone))
    return ends.astimezone(UTC), day


def hour_of(send_on: str, day_offset: int, hour: int, zone: tzinfo, years: int = 0) -> datetime:
    """The hour of the day of `send_on`, RFC 3339, in a zone, or of a day so many years, then days, after it.

    An hour that clocks leave out is the one after it; of one that comes twice it is the first.
    """
    day = _years_after(day_of(_read(send_on), zone), years) + timedelta(days=day_offset)
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def span(send_on: str, day_offset: int, hour: int, years: int = 0) -> tuple[datetime, datetime]:
    """From when on it can be that hour of the day anywhere, and until when it may take to be everywhere."""
    at, later = _read(send_on), timedelta(days=day_offset)
    if isinstance(at, datetime):
        near = _A_DAY + timedelta(days=1 if years else 0)  # there may be a 29 February between it and its day
        then = _years_after(at, years) + later
        return then - near, then + near
    there = datetime.combine(_years_after(at, years) + later, time(hour), UTC)
    return there - _EAST, there + _WEST


def year_after(send_on: str, day_offset: int, hour: int, since: datetime, last: int = -1) -> int:
    """How many years after its day, more than `last`, that day is first one that may begin after `since`.

    Whether it does is decided in the zone of whoever is told. Of the very day the hour has come nowhere.
    """
    years = max(last + 1, since.year - _read(send_on).year - 3)
    while not _may_begin(send_on, day_offset, hour, years, since):
        years += 1
    return years


def _may_begin(send_on: str, day_offset: int, hour: int, years: int, since: datetime) -> bool:
    if not years:
        return span(send_on, day_offset, hour)[0] > since
    day = _years_after(_read(send_on), years) + timedelta(days=day_offset)
    return (day if isinstance(day, datetime) else datetime.combine(day, time(), UTC) + _WEST) > since


def _years_after(day: Day, years: int) -> Day:
    """The same day so many years later; 28 February of 29 February in a year that has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _read(send_on: str) -> date | datetime:
    moment = "T" in send_on
    return datetime.fromisoformat(send_on).astimezone(UTC) if moment else date.fromisoformat(send_on)
