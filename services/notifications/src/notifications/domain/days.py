"""Days, where the customer lives: until when one lasts, and when it has come to an hour of it."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from chassis.zones import day_of

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


def hour_of(send_on: str, day_offset: int, hour: int, zone: tzinfo) -> datetime:
    """The hour of the day of `send_on`, RFC 3339, in a zone, or of a day so many days after it.

    An hour that clocks leave out is the one after it; of one that comes twice it is the first.
    """
    day = day_of(_read(send_on), zone) + timedelta(days=day_offset)
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def span(send_on: str, day_offset: int, hour: int) -> tuple[datetime, datetime]:
    """From when on it can be that hour of the day anywhere, and until when it may take to be everywhere."""
    at, later = _read(send_on), timedelta(days=day_offset)
    if isinstance(at, datetime):
        return at + later - _A_DAY, at + later + _A_DAY
    there = datetime.combine(at + later, time(hour), UTC)
    return there - _EAST, there + _WEST


def _read(send_on: str) -> date | datetime:
    moment = "T" in send_on
    return datetime.fromisoformat(send_on).astimezone(UTC) if moment else date.fromisoformat(send_on)
