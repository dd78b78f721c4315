"""Countries and languages, by code or by their names in the languages of files."""

import functools
import re
from collections.abc import Iterator
from zoneinfo import available_timezones

import pycountry

from chassis.zones import time_zone
from rapport_imports.months import LANGUAGES
from rapport_imports.names import plain

# Names of countries in everyday use that ISO 3166 does not list.
_COUNTRIES = {
    "UK": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "U.S.A.": "US",
    "RUSSIA": "RU",
    "SOUTH KOREA": "KR",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_LANGUAGES_OF_FILES = LANGUAGES
# What Rails, and help desks that are written with it, call zones beside the city that they are called by.
_ZONES = {
    "Eastern Time (US & Canada)": "America/New_York",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Arizona": "America/Phoenix",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Alaska": "America/Anchorage",
    "Hawaii": "Pacific/Honolulu",
    "Atlantic Time (Canada)": "America/Halifax",
    "Newfoundland": "America/St_Johns",
    "Bern": "Europe/Zurich",
    "Edinburgh": "Europe/London",
    "Kyiv": "Europe/Kiev",
    "St. Petersburg": "Europe/Moscow",
    "Islamabad": "Asia/Karachi",
    "Mumbai": "Asia/Kolkata",
    "Chennai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Hanoi": "Asia/Bangkok",
    "Beijing": "Asia/Shanghai",
    "Osaka": "Asia/Tokyo",
    "Sapporo": "Asia/Tokyo",
    "Canberra": "Australia/Sydney",
    "Wellington": "Pacific/Auckland",
    "Abu Dhabi": "Asia/Dubai",
    "Guadalajara": "America/Mexico_City",
    "Quito": "America/Guayaquil",
    "Brasilia": "America/Sao_Paulo",
}


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> str:
    """The time zone of the IANA database of that name, of that city, or that Windows calls so; else empty."""
    if time_zone(name):
        return name
    return _ZONES.get(name) or _cities().get(plain(name)) or _windows().get(name, "")


@functools.cache
def _cities() -> dict[str, str]:
    """The zones by their cities; a city that two zones have, each of its own time, is none."""
    found: dict[str, str] = {}
    for name in sorted(available_timezones(), key=lambda name: (name.count("/"), name)):
        area, _, city = name.rpartition("/")
        if area and not area.startswith(("Etc", "posix", "right", "SystemV")):
            found.setdefault(plain(city), name)
    return found


@functools.cache
def _windows() -> dict[str, str]:
    from babel.core import get_global

    return dict(get_global("windows_zone_mapping"))


@functools.lru_cache(maxsize=1024)
def country(name: str) -> str:
    """The code of a country by code, or by name in a language of `_LANGUAGES_OF_FILES`; else empty."""
    if alias := _COUNTRIES.get(name.upper()):
        return alias
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return next((code for code in _named("territories", name) if len(code) == 2), "")


@functools.lru_cache(maxsize=1024)
def language(name: str) -> str:
    """The code of a language by code, or by name in one of `_LANGUAGES_OF_FILES`; else empty."""
    code, *rest = re.split(r"[-_]", name.partition(".")[0].partition("@")[0])
    if len(code) in (2, 3) and code.isalpha():
        rest = [part.title() if len(part) == 4 else part.upper() for part in rest]
        code = "-".join([code.lower(), *rest])
        return code if _LANGUAGE.fullmatch(code) else ""
    return next((code for code in _named("languages", name) if _LANGUAGE.fullmatch(code)), "")


@functools.lru_cache(maxsize=1024)
def currency(name: str) -> str:
    """The code of a currency that is called so in one of `_LANGUAGES_OF_FILES`, `Euro`; else empty."""
    return next(_named("currencies", name.removesuffix("s")), next(_named("currencies", name), ""))


def _named(what: str, name: str) -> Iterator[str]:
    from babel import Locale

    for spoken in _LANGUAGES_OF_FILES:
        for code, known in getattr(Locale(spoken), what).items():
            if plain(known) == plain(name):
                yield str(code).replace("_", "-")
