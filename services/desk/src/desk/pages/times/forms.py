"""What somebody typed of a calendar or of a clock policy, as the message that says so."""

import re
from collections.abc import Iterable

from google.type.date_pb2 import Date
from google.type.dayofweek_pb2 import DayOfWeek

from chassis.api.messages import date_of, value_name
from chassis.errors import invalid
from desk.pages.trying import Typed
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.clock_policy_pb2 import ClockMetric, ClockPolicy

WEEKDAYS = DayOfWeek.keys()[1:]
# What has clocks of which kind, in the order of the form.
METRICS = {
    "CASE": ("FIRST_RESPONSE", "NEXT_RESPONSE", "RESOLUTION", "SILENCE"),
    "WORK_ITEM": ("FIRST_RESPONSE", "RESOLUTION"),
    "PROMISE": ("DELAY_NOTIFICATION", "NEXT_PROMISE"),
}
_WINDOW = re.compile(r"\s*(\d{1,2}:\d{2})\s*[-\N{EN DASH}]\s*(\d{1,2}:\d{2})\s*")


def written(windows: Iterable[Calendar.Window]) -> str:
    """`09:00-12:00, 13:00-17:00`."""
    return ", ".join(f"{each.opens}-{each.closes}" for each in windows)


def by_weekday(calendar: Calendar) -> dict[str, str]:
    """The windows of each weekday as they are written, empty for one that is closed."""
    found: dict[str, list[Calendar.Window]] = {day: [] for day in WEEKDAYS}
    for hours in calendar.hours:
        for day in hours.days:
            found[DayOfWeek.Name(day)] += hours.windows
    return {day: written(sorted(each, key=lambda window: window.opens)) for day, each in found.items()}


def regions(calendar: Calendar) -> str:
    """Whose holidays are kept, as it is written: `DE-BY, AT`."""
    return ", ".join(map(_region, calendar.holidays))


def _region(holidays: Calendar.Holidays) -> str:
    return "-".join(filter(None, (holidays.region_code, holidays.subdivision)))


def _holidays(now: Calendar, text: str) -> list[Calendar.Holidays]:
    """Those of each region that is written; where they are kept already, of the same categories."""
    known = {_region(each): each for each in now.holidays}
    found = []
    for typed in filter(None, (each.strip().upper() for each in text.split(","))):
        region, _, subdivision = typed.partition("-")
        found.append(known.get(typed) or Calendar.Holidays(region_code=region, subdivision=subdivision))
    return found


def calendar_of(now: Calendar, typed: Typed) -> Calendar:
    """The calendar as it is to be. InvalidArgument for windows that are not understood."""
    proposed = Calendar(
        name=now.name,
        department=now.department,
        display_name=typed.text("display_name"),
        time_zone=typed.text("time_zone"),
        holidays=_holidays(now, typed.text("holidays")),
    )
    for day in WEEKDAYS:
        if windows := _windows(day.lower(), typed.text(day.lower())):
            proposed.hours.add(days=[day], windows=windows)
    dropped = set(typed.lists.get("drop", ()))
    proposed.exceptions.extend(
        each for each in now.exceptions if date_of(each.date).isoformat() not in dropped
    )
    if typed.text("date"):
        proposed.exceptions.add(
            date=_date(typed.text("date")),
            windows=_windows("windows", typed.text("windows")),
            display_name=typed.text("called"),
        )
    return proposed


def policy_of(now: ClockPolicy, typed: Typed) -> ClockPolicy:
    """The policy as it is to be. InvalidArgument for a number that is none."""
    proposed = ClockPolicy(
        name=now.name,
        display_name=typed.text("display_name"),
        department=now.department,
        subject=now.subject,
        condition=typed.text("condition"),
        position=typed.number("position"),
        pauses=[_pause(each) for each in typed.lists.get("pauses", ())],
        disabled=typed.text("disabled") == "on",
    )
    for metric in METRICS[value_name(now, "subject")]:
        if minutes := typed.number(f"{metric.lower()}_minutes"):
            proposed.targets.add(
                metric=ClockMetric.Value(f"CLOCK_METRIC_{metric}"),
                business_minutes=minutes,
                warning_minutes=typed.number(f"{metric.lower()}_warning"),
                calendar=typed.text(f"{metric.lower()}_calendar"),
            )
    return proposed


def _pause(key: str) -> ClockPolicy.Pause.ValueType:
    try:
        return ClockPolicy.Pause.Value(f"PAUSE_{key}")
    except ValueError:
        raise invalid("pauses", "INVALID_ENUM", "must be one of those that the form has") from None


def _windows(field: str, text: str) -> list[Calendar.Window]:
    found = [_WINDOW.fullmatch(part) for part in text.split(",")] if text else []
    if not all(found):
        raise invalid(field, "INVALID_HOURS", "must be times such as 09:00-12:00, 13:00-17:00")
    return [Calendar.Window(opens=f"{each[1]:0>5}", closes=f"{each[2]:0>5}") for each in found if each]


def _date(text: str) -> Date:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    if match is None:
        raise invalid("date", "INVALID_TIME", "must be a day such as 2026-12-24")
    year, month, day = map(int, match.groups())
    return Date(year=year, month=month, day=day)
