"""Time zones by the names that the IANA database gives them, and which day it is in one."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

TICK = timedelta(microseconds=1)
NOT_A_TIME_ZONE = "must be an IANA time zone like Europe/Berlin"
_NO_PLACES = {"localtime", "posixrules", "Factory"}  # this machine's, its default, and that of none


def time_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name, as the IANA database writes it; None when there is none."""
    return ZoneInfo(name) if name in _names() else None


def day_of(at: date | datetime, zone: tzinfo) -> date:
    """The day that customers are told of: a day everywhere the same; of a moment the one in a zone.

    Midnight ends a day: what is over then, as what expires and what is due, is of the day before.
    """
    # Taken off before it is a day: where clocks are moved at midnight, that is no hour, or comes twice.
    return (at.astimezone(UTC) - TICK).astimezone(zone).date() if isinstance(at, datetime) else at


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)
