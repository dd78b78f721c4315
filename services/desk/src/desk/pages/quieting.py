"""Quiet hours and pauses as forms have them: lines to fill in, whoever fills them in."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import count, takewhile
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from google.type.dayofweek_pb2 import DayOfWeek

from chassis.api.messages import moment, timestamp
from chassis.errors import Violation, invalid
from desk.language.catalogues import N_
from desk.ui.speech import Speech
from rapport.customer.v1.preferences_pb2 import Preferences

EVERY_DAY = "EVERY_DAY"
_DAYS = {
    "MONDAY": N_("Mondays"),
    "TUESDAY": N_("Tuesdays"),
    "WEDNESDAY": N_("Wednesdays"),
    "THURSDAY": N_("Thursdays"),
    "FRIDAY": N_("Fridays"),
    "SATURDAY": N_("Saturdays"),
    "SUNDAY": N_("Sundays"),
}
_DAY = timedelta(days=1)
_WIDTH = len("07:00")  # which a field for times of day needs, and the contract does not
_MIDNIGHT = "00:00"  # of a field for times of day, which has no 24:00
_LINES = {"quiet_hours": ("starts", "ends"), "pauses": ("first", "last")}
_FIELDS = {"starts": "starts", "days": "day", "start_time": "first"}
_OF_LINE = re.compile(r"(?:^|\.)(quiet_hours|pauses)(?:\[(\d+)\])?(?:\.(\w+))?$")


class Typed(Protocol):
    """What was typed into a form."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """By name."""

    def text(self, name: str) -> str:
        """What a field holds; empty without."""


def filled_in(preferences: Preferences, zone: ZoneInfo, say: Speech) -> dict[str, Any]:
    """The lines of a form as they are now, and one more of each, to be filled in."""
    hours = [*map(_line, preferences.quiet_hours), (EVERY_DAY, "", "")]
    pauses = [*(_days_of(each, zone) for each in preferences.pauses), ("", "")]
    days = dict.fromkeys((EVERY_DAY, *_DAYS, *(day for day, _, _ in hours)))
    values: dict[str, Any] = {
        "etag": preferences.etag,
        "days": [(each, _called(each, say)) for each in days],
        "hours": len(hours),
        "pauses": len(pauses),
    }
    for i, (day, starts, ends) in enumerate(hours):
        values |= {f"day_{i}": day, f"starts_{i}": starts, f"ends_{i}": ends}
    for i, (first, last) in enumerate(pauses):
        values |= {f"first_{i}": first, f"last_{i}": last}
    return values


def as_typed(typed: Typed) -> dict[str, Any]:
    """The lines of a form as they were typed, to be typed again."""
    held: dict[str, Any] = {}
    for kind, names in {"hours": ("day", "starts", "ends"), "pauses": ("first", "last")}.items():
        lines = [*_lines(typed, names[-1])]
        held[kind] = len(lines)
        held |= {f"{name}_{i}": typed.text(f"{name}_{i}") for i in lines for name in names}
    return held


def field_of(wrong: Violation, typed: Typed) -> str:
    """Which field of the form is wrong: services count the lines that are filled in alone."""
    if (named := _OF_LINE.search(wrong.field)) is None:
        return wrong.field
    kind, number, field = named.groups()
    names = _LINES[kind]
    filled = [i for i in _lines(typed, names[1]) if any(typed.text(f"{name}_{i}") for name in names)]
    line = filled[int(number or 0) : int(number or 0) + 1] or [0]
    return f"{_FIELDS.get(field, names[1])}_{line[0]}"


def typed_hours(typed: Typed) -> Iterator[Preferences.QuietHours]:
    """The lines that are filled in. REQUIRED for half a line, INVALID_CODE, INVALID_HOURS."""
    for i in _lines(typed, "starts"):
        day, starts, ends = (typed.text(f"{name}_{i}") for name in ("day", "starts", "ends"))
        if not starts and not ends:
            continue
        if not (starts and ends):
            raise invalid(f"{'ends' if starts else 'starts'}_{i}", "REQUIRED", N_("must be given"))
        if starts == ends != _MIDNIGHT:
            raise invalid(f"ends_{i}", "INVALID_HOURS", N_("must be another time than it begins"))
        days = [] if day == EVERY_DAY else day.split()
        if not day or not {*days} <= {*_DAYS}:
            raise invalid(f"day_{i}", "INVALID_CODE", N_("must be one of those that are offered"))
        yield Preferences.QuietHours(
            days=map(DayOfWeek.Value, days), starts=starts, ends="24:00" if ends == _MIDNIGHT else ends
        )


def typed_pauses(
    typed: Typed, before: Preferences, zone: ZoneInfo, now: datetime
) -> Iterator[Preferences.Pause]:
    """The pauses that are filled in; one whose days nobody changed stays to the moment what it was.

    INVALID_TIME for what is no day, over, or ends before it begins.
    """
    kept = {_days_of(each, zone): each for each in before.pauses}
    for i in _lines(typed, "last"):
        days = typed.text(f"first_{i}"), typed.text(f"last_{i}")
        if days in kept:
            yield kept[days]
        elif any(days):
            last = _midnight(days[1], f"last_{i}", zone, after=_DAY)
            pause = Preferences.Pause(end_time=timestamp(last))
            if days[0]:
                first = _midnight(days[0], f"first_{i}", zone)
                if last <= first:
                    raise invalid(f"last_{i}", "INVALID_TIME", N_("must not be before the first day"))
                pause.start_time.CopyFrom(timestamp(first))
            if last <= now:
                raise invalid(f"last_{i}", "INVALID_TIME", N_("must not be over already"))
            yield pause


def _line(hours: Preferences.QuietHours) -> tuple[str, str, str]:
    """The days in one word, `MONDAY SUNDAY`, when it starts and when it ends."""
    days = " ".join(map(DayOfWeek.Name, hours.days)) or EVERY_DAY
    ends = _MIDNIGHT if hours.ends == "24:00" else hours.ends
    return days, hours.starts.zfill(_WIDTH), ends.zfill(_WIDTH)


def _called(days: str, say: Speech) -> str:
    return say("every day") if days == EVERY_DAY else ", ".join(say(_DAYS[day]) for day in days.split())


def _lines(typed: Typed, name: str) -> Iterator[int]:
    """The numbers of the lines that the form has."""
    return takewhile(lambda i: f"{name}_{i}" in typed.fields, count())


def _days_of(pause: Preferences.Pause, zone: ZoneInfo) -> tuple[str, str]:
    """The first and the last day of a pause where the customer is; without a first when it has begun."""
    first = (
        moment(pause.start_time).astimezone(zone).date().isoformat() if pause.HasField("start_time") else ""
    )
    last = (moment(pause.end_time).astimezone(zone) - timedelta(microseconds=1)).date()
    return first, last.isoformat()


def _midnight(typed: str, name: str, zone: ZoneInfo, after: timedelta = timedelta()) -> datetime:
    """When a day begins somewhere, or the day after it. INVALID_TIME."""
    try:
        return datetime.combine(date.fromisoformat(typed) + after, time(), zone)
    except (ValueError, OverflowError):
        raise invalid(name, "INVALID_TIME", N_("must be a day")) from None
