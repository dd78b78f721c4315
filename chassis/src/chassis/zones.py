"""Time zones by the names that the IANA database gives them, and which day it is in one."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

TICK = timedelta(microseconds=1)
NOT_A_TIME_ZONE = "must be an IANA time zone like Europe/Berlin"
_LATER = datetime(2037, 1, 1, 12, tzinfo=UTC)  # of the year from then on the rules hold that hold now
# Of countries whose zones differ the one that is meant by the country alone: CLDR's `primaryZones`.
_PRIMARY = {
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
}
_NO_PLACES = {"localtime", "posixrules", "Factory"}  # this machine's, its default, and that of none


def time_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name, as the IANA database writes it; None when there is none."""
    return ZoneInfo(name) if name in _names() else None


def places() -> list[str]:
    """The time zones that people live in, by the alphabet."""
    return sorted(each for zones in _by_country().values() for each in zones)


@cache
def country_zone(region_code: str) -> str:
    """The time zone of a country where nearly all keep one time; empty of another, and of what is no country.

    Of several zones whose clocks go alike from now on, as Germany's, that of the most people.
    """
    zones = _by_country().get(region_code, [])
    return zones[0] if len({*map(_clocks, zones)}) == 1 else _PRIMARY.get(region_code, "")


def day_of(at: date | datetime, zone: tzinfo) -> date:
    """The day that customers are told of: a day everywhere the same; of a moment the one in a zone.

    Midnight ends a day: what is over then, as what expires and what is due, is of the day before.
    """
    # Taken off before it is a day: where clocks are moved at midnight, that is no hour, or comes twice.
    return (at.astimezone(UTC) - TICK).astimezone(zone).date() if isinstance(at, datetime) else at


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


@cache
def _by_country() -> Mapping[str, list[str]]:
    """By ISO 3166-1 alpha-2 code, that of the most people first."""
    zones: dict[str, list[str]] = {}
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            region_code, _, name, *_ = line.split("\t")
            zones.setdefault(region_code, []).append(name)
    return zones


def _clocks(name: str) -> tuple[timedelta | None, ...]:
    """How far from UTC its clocks are on each day of a year."""
    zone = ZoneInfo(name)
    return tuple((_LATER + timedelta(days=n)).astimezone(zone).utcoffset() for n in range(365))
