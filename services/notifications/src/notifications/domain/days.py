"""Days, where the customer lives: until when one lasts, and when it has come to an hour of it."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_EAST = timedelta(hours=14)  # where a day begins first on earth, before UTC
_WEST = timedelta(hours=12)  # and where it begins last, after UTC


def due(new_date: str, time_zone: str) -> tuple[datetime, date | None]:
    """By when a date that is told, RFC 3339, is due; and the day that it is, None of a moment."""
    if "T" in new_date:
        return datetime.fromisoformat(new_date), None
    day = date.fromisoformat(new_date)
    ends = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(time_zone))
    return ends.astimezone(UTC), day


def hour_of(send_on: str, hour: int, zone: tzinfo) -> datetime:
    """The hour of a day in a zone; of a moment, RFC 3339, of its day there.

    An hour that clocks leave out is the one after it; of one that comes twice it is the first.
    """
    if "T" in send_on:
        day = datetime.fromisoformat(send_on).astimezone(zone).date()
    else:
        day = date.fromisoformat(send_on)
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def span(send_on: str, hour: int) -> tuple[datetime, datetime]:
    """From when on it can be that hour of the day anywhere, and until when it may take to be everywhere."""
    if "T" in send_on:
        moment = datetime.fromisoformat(send_on).astimezone(UTC)
        return moment - timedelta(hours=24), moment + timedelta(hours=24)
    there = datetime.combine(date.fromisoformat(send_on), time(hour), UTC)
    return there - _EAST, there + _WEST
