"""Time zones by the names that the IANA database gives them."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

NOT_A_TIME_ZONE = "must be an IANA time zone like Europe/Berlin"
_NO_PLACES = {"localtime", "posixrules", "Factory"}  # this machine's, its default, and that of none


def time_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name, as the IANA database writes it; None when there is none."""
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)
