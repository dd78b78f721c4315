"""Reading a calendar from JSON, as docs/calendars.md has it: the proto JSON of one, or written by hand."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from chassis.business_time.holidays import Holidays
from chassis.business_time.schedule import WEEKDAYS, Schedule, SpecialDay, Window, minutes_of, overlap
from chassis.errors import InvalidArgument, Violation
from chassis.zones import NOT_A_TIME_ZONE, time_zone

Found = list[Violation]
HOURS_MAX, WINDOWS_MAX, HOLIDAYS_MAX, EXCEPTIONS_MAX, TEXT_MAX = 50, 20, 20, 1000, 200
_OF_THE_RESOURCE = {"name", "display_name", "department", "create_time", "update_time", "version", "etag"}
_FIELDS = {"time_zone", "hours", "holidays", "exceptions"}
_DAYS = {spelt: i for i, day in enumerate(WEEKDAYS) for spelt in (day, day[:3])}
NEVER_OPEN = "must have a window, or an exception must: it would never be open"
NOT_A_TIME_OF_DAY = "must be a time of day like 09:00 or 17:30, and 24:00 for the end of the day"
NOT_A_WINDOW = (
    "must open before it closes, from 00:00 to 24:00; what is open over midnight is two windows, one until "
    "24:00 and one from 00:00 of the next day"
)


def read(document: object) -> Schedule:
    """What a calendar says. InvalidArgument with everything that is wrong with it."""
    schedule, found = look(document)
    if not found and not schedule.is_ever_open:
        found.append(Violation("hours", "INVALID_HOURS", NEVER_OPEN))
    if found:
        raise InvalidArgument(found)
    return schedule


def look(document: object) -> tuple[Schedule, Found]:
    """What a calendar says but for what is wrong with it, and that. One that is never open may be right."""
    found: Found = []
    fields = _object(document, "", found, _FIELDS, _OF_THE_RESOURCE)
    week: list[list[Window]] = [[] for _ in WEEKDAYS]
    for days, windows in _hours(fields.get("hours"), found):
        for day in days:
            week[day] += windows
    for weekday, windows in zip(WEEKDAYS, week, strict=True):
        _check_windows(windows, "hours", found, f" on {weekday}")
    exceptions, holidays = dict[date, SpecialDay](), list[Holidays]()
    _read_exceptions(fields.get("exceptions"), exceptions, found)
    _read_holidays(fields.get("holidays"), holidays, exceptions, found)
    zone = _zone(fields.get("time_zone"), found)
    return Schedule(zone, tuple(tuple(sorted(day)) for day in week), tuple(holidays), exceptions), found


def _zone(value: object, found: Found) -> ZoneInfo:
    zone = time_zone(value) if isinstance(value, str) else None
    if zone is None:
        found.append(Violation("time_zone", "INVALID_CODE", NOT_A_TIME_ZONE))
    return zone or ZoneInfo("UTC")


def _hours(value: object, found: Found) -> Iterator[tuple[list[int], list[Window]]]:
    """The weekdays and windows of each entry: of a list of both, or of an object by weekday."""
    if isinstance(value, Mapping):
        for key, windows in value.items():
            yield _weekdays([key], f"hours.{key}"[:TEXT_MAX], found), _windows(windows, f"hours.{key}", found)
        return
    for path, entry in _items(value, "hours", HOURS_MAX, found):
        fields = _object(entry, path, found, {"days", "windows", "opens", "closes"})
        days = fields.get("days", [])
        named = _weekdays([days] if isinstance(days, str) else days, f"{path}.days", found)
        one = {key: fields[key] for key in ("opens", "closes") if key in fields}
        if one and "windows" in fields:
            found.append(Violation(path, "INVALID_HOURS", "must have windows, or opens and closes, not both"))
        yield named, _windows([one] if one else fields.get("windows", []), f"{path}.windows", found)


def _weekdays(value: object, path: str, found: Found) -> list[int]:
    days = [_DAYS.get(each.upper()) if isinstance(each, str) else None for each in _sequence(value)]
    if not days or None in days or len(set(days)) < len(days):
        allowed = f"must be one or more of {', '.join(WEEKDAYS)}, each once"
        found.append(Violation(path, "INVALID_ENUM", allowed))
    return [day for day in days if day is not None]


def _windows(value: object, path: str, found: Found) -> list[Window]:
    read = [_window(entry, at, found) for at, entry in _items(value, path, WINDOWS_MAX, found)]
    return [window for window in read if window is not None]


def _window(value: object, path: str, found: Found) -> Window | None:
    """One window: an object, or a text like `09:00-17:00`."""
    if isinstance(value, str):
        opens, _, closes = map(str.strip, re.sub("[\u2013\u2014]", "-", value).partition("-"))
    else:
        fields = _object(value, path, found, {"opens", "closes"})
        opens, closes = fields.get("opens", ""), fields.get("closes", "")
    times = [minutes_of(text) for text in (opens, closes)]
    for name, minutes in zip(("opens", "closes"), times, strict=True):
        if minutes is None:
            found.append(Violation(f"{path}.{name}", "INVALID_HOURS", NOT_A_TIME_OF_DAY))
    first, last = times
    if first is None or last is None:
        return None
    if first >= last:
        found.append(Violation(path, "INVALID_HOURS", NOT_A_WINDOW))
        return None
    return Window(first, last)


def _check_windows(windows: Sequence[Window], path: str, found: Found, where: str = "") -> None:
    if shared := overlap(windows):
        told = f"must not overlap, as {shared[0]} and {shared[1]} do{where}"
        found.append(Violation(path, "INVALID_HOURS", told))


def _read_exceptions(value: object, exceptions: dict[date, SpecialDay], found: Found) -> None:
    for path, entry in _items(value, "exceptions", EXCEPTIONS_MAX, found):
        fields = _object(entry, path, found, {"date", "display_name", "windows"})
        windows = _windows(fields.get("windows", []), f"{path}.windows", found)
        _check_windows(windows, f"{path}.windows", found)
        name = fields.get("display_name", "")
        if not isinstance(name, str) or len(name) > TEXT_MAX:
            found.append(
                Violation(
                    f"{path}.display_name", "TOO_LONG", f"must be text of at most {TEXT_MAX} characters"
                )
            )
        elif (day := _date(fields.get("date"), f"{path}.date", found)) in exceptions:
            found.append(Violation(f"{path}.date", "INVALID_TIME", "must not be there twice"))
        elif day:
            exceptions[day] = SpecialDay(tuple(sorted(windows)), name)


def _read_holidays(
    value: object, holidays: list[Holidays], exceptions: dict[date, SpecialDay], found: Found
) -> None:
    """Holidays of countries; a date among them is a closed day, unless it is an exception anyway."""
    entries = [value] if isinstance(value, Mapping) else value
    for path, entry in _items(entries, "holidays", EXCEPTIONS_MAX, found):
        if isinstance(entry, str):
            if day := _date(entry, path, found):
                exceptions.setdefault(day, SpecialDay(display_name="holiday"))
        elif isinstance(entry, Mapping):
            holidays += _of_country(entry, path, found)
        else:
            found.append(Violation(path, "INVALID_CODE", "must have a country, or be a date like 2026-12-25"))
    if len(holidays) > HOLIDAYS_MAX:
        found.append(Violation("holidays", "TOO_LONG", f"must be of at most {HOLIDAYS_MAX} countries"))


def _of_country(entry: Mapping[Any, Any], path: str, found: Found) -> Iterator[Holidays]:
    fields = _object(entry, path, found, {"region_code", "country", "subdivision", "categories"})
    if "country" in fields and "region_code" in fields:
        found.append(Violation(path, "INVALID_CODE", "must have country or region_code, not both"))
    region = str(fields.get("country", fields.get("region_code", ""))).upper()
    categories = fields.get("categories", [])
    holidays = Holidays(
        region,
        str(fields.get("subdivision", "")).removeprefix(f"{region}-"),
        tuple(map(str, [categories] if isinstance(categories, str) else _sequence(categories))),
    )
    problems = list(holidays.problems())
    found += [Violation(f"{path}.{field}", "INVALID_CODE", allowed) for field, allowed in problems]
    yield from [] if problems else [holidays]


def _date(value: object, path: str, found: Found) -> date | None:
    """A day: `2026-12-25`, or as proto JSON has it, an object of year, month and day."""
    try:
        if isinstance(value, Mapping):
            return date(*(value.get(part, 0) for part in ("year", "month", "day")))
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
    except (ValueError, TypeError):
        pass
    found.append(Violation(path, "INVALID_TIME", "must be a day that there is, like 2026-12-25"))
    return None


def _object(
    value: object, path: str, found: Found, known: set[str], also: Set[str] = frozenset()
) -> dict[str, Any]:
    """The fields of an object by their names in the contract; `timeZone` is `time_zone`. `also` go untold."""
    if not isinstance(value, Mapping):
        allowed = f"must be an object with {', '.join(sorted(known))}"
        found.append(Violation(path, "INVALID_HOURS", allowed))
        return {}
    fields: dict[str, Any] = {}
    for key, held in value.items():
        name = re.sub(r"(?<=[a-z])([A-Z])", lambda upper: "_" + upper[1].lower(), str(key))
        if name not in known | also or name in fields:
            told = "must not be there twice" if name in fields else _unknown(known)
            found.append(Violation(_at(path, str(key)[:TEXT_MAX]), "UNKNOWN_FIELD", told))
        elif held is not None:
            fields[name] = held
    return fields


def _unknown(known: set[str]) -> str:
    return f"is no field here: must be one of {', '.join(sorted(known))}"


def _items(value: object, path: str, most: int, found: Found) -> Iterator[tuple[str, Any]]:
    """The items of a list with where each is; none where nothing is given."""
    if value is None:
        return
    if not isinstance(value, list | tuple):
        found.append(Violation(path, "INVALID_HOURS", "must be a list"))
    elif len(value) > most:
        found.append(Violation(path, "TOO_LONG", f"must have at most {most}"))
    else:
        yield from ((f"{path}[{i}]", each) for i, each in enumerate(value))


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else []


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
