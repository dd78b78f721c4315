"""What a calendar says of each day: the windows of its weekday, unless it is a holiday or an exception."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chassis.business_time.holidays import Holidays

DAY_MINUTES = 24 * 60
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


WEEKDAYS = tuple(Weekday)


class Window(NamedTuple):
    """From when until when of a day, exclusive: minutes after midnight, 0 <= opens < closes <= 1440."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{clock(self.opens)}-{clock(self.closes)}"


def clock(minutes: int) -> str:
    """A time of day as calendars write it, `09:00`; `24:00` is the end of the day."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_of(text: object) -> int | None:
    """A time of day, `09:00`, as minutes after midnight, at most 1440; None for what is none."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else DAY_MINUTES + 1
    return minutes if minutes <= DAY_MINUTES else None


class SpecialDay(NamedTuple):
    """A date with windows of its own, none when it is closed."""

    windows: tuple[Window, ...] = ()
    display_name: str = ""


class Plan(NamedTuple):
    """When a day is open, and why: `weekly hours`, `holiday: Christmas Day`, `exception: Stocktaking`."""

    windows: tuple[Window, ...]
    reason: str


Year = Mapping[date, str]


@dataclass(frozen=True)
class Schedule:
    """A calendar as it is said.

    Args:
        zone: whose clock on the wall the windows are of.
        week: the windows of each weekday, Monday first, in order and apart from each other.
        holidays: closed days that repeat; of several countries, too.
        exceptions: dates that go before the weekday and before holidays.
        settled: of years that are in it, the holidays, whatever is known of them today.
    """

    zone: ZoneInfo
    week: tuple[tuple[Window, ...], ...]
    holidays: tuple[Holidays, ...] = ()
    exceptions: Mapping[date, SpecialDay] = field(default_factory=dict)
    settled: Mapping[int, Year] = field(default_factory=dict)
    _held: dict[int, Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def plan(self, day: date) -> Plan:
        """When that day is open, and why then."""
        if special := self.exceptions.get(day):
            return Plan(special.windows, ": ".join(filter(None, ("exception", special.display_name))))
        if name := self.holidays_of(day.year).get(day):
            return Plan((), f"holiday: {name}")
        return Plan(self.week[day.weekday()], "weekly hours")

    def holidays_of(self, year: int) -> Year:
        """The holidays of a year with their names, as settled, else as they are known today."""
        if year not in self._held:
            settled = self.settled.get(year)
            self._held[year] = self._known_today(year) if settled is None else settled
        return self._held[year]

    def settle(self, years: Iterable[int]) -> dict[int, Year]:
        """The holidays of these years as they are known today, to be kept: no release moves them later."""
        return {year: self._known_today(year) for year in years}

    def _known_today(self, year: int) -> dict[date, str]:
        return {day: name for each in self.holidays for day, name in each.on(year).items()}

    @property
    def is_ever_open(self) -> bool:
        """Whether there is any window at all."""
        return any(self.week) or any(special.windows for special in self.exceptions.values())


def overlap(windows: Iterable[Window]) -> tuple[Window, Window] | None:
    """Two windows of a day that have a minute in common, if there are any."""
    ordered = sorted(windows)
    return next(((a, b) for a, b in pairwise(ordered) if b.opens < a.closes), None)
