"""A calendar of a department: when it is open, version by version."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from cases.domain.facts import CalendarUpdated
from cases.names import CALENDAR, DEPARTMENT
from chassis.business_time import NEVER_OPEN, Schedule, Weekday, look
from chassis.errors import invalid
from chassis.facts import changed, fact_of

ALWAYS = "always"
SETTLED_BEHIND_YEARS, SETTLED_AHEAD_YEARS = 5, 10  # for which the dates of holidays are kept
_PARTS = ("hours", "holidays", "exceptions")


@dataclass(slots=True)
class Window:
    """From when until when of a day, `HH:MM`."""

    opens: str
    closes: str


@dataclass(slots=True)
class Hours:
    """The windows of weekdays."""

    days: list[Weekday]
    windows: list[Window]


@dataclass(slots=True)
class Holidays:
    """The holidays of a country and of a subdivision."""

    region_code: str
    subdivision: str
    categories: list[str]


@dataclass(slots=True)
class SpecialDay:
    """A date with windows of its own."""

    date: date
    display_name: str
    windows: list[Window]


@dataclass(slots=True)
class Calendar:
    """A version of a calendar.

    `settled` are the dates of the holidays by year, with names, as they were known when `holidays` was set.
    """

    id: str
    version: int
    department_id: str
    create_time: datetime
    update_time: datetime
    display_name: str
    time_zone: str
    hours: list[Hours] = field(default_factory=list)
    holidays: list[Holidays] = field(default_factory=list)
    exceptions: list[SpecialDay] = field(default_factory=list)
    settled: dict[str, dict[str, str]] = field(default_factory=dict)

    name = CALENDAR.named("id")
    department = DEPARTMENT.named("department_id")

    @classmethod
    def new(
        cls, calendar_id: str, department_id: str, now: datetime, fields: Mapping[str, Any]
    ) -> "Calendar":
        """The first version. InvalidArgument INVALID_HOURS for one that would never be open."""
        calendar = cls(calendar_id, 1, department_id, now, now, **fields)
        calendar._require_open()
        calendar.settled = calendar._known(now)
        return calendar

    def update(self, changes: Mapping[str, Any], now: datetime) -> CalendarUpdated | None:
        """Become the next version. Nothing when it is so already. InvalidArgument as for a new one.

        With holidays, even the same, their dates are those that are known now.
        """
        new: dict[str, Any] = {**changes}
        if "holidays" in changes:
            known = replace(self, holidays=changes["holidays"])._known(now)
            if changes["holidays"] != self.holidays or _moved(self.settled, known):
                new["settled"] = known
        told = ("holidays" if each == "settled" else each for each in changed(self, new))
        fields = list(dict.fromkeys(told))
        self._require_open()
        return fact_of(CalendarUpdated, self, updated_fields=fields) if fields else None

    def schedule(self) -> Schedule:
        """What it says, with the holidays that are settled.

        One of a country that the release does not know any more has no holidays beyond these.
        """
        schedule, _ = look(
            {"time_zone": self.time_zone} | {each: _written(getattr(self, each)) for each in _PARTS}
        )
        settled = {
            int(year): {date.fromisoformat(day): name for day, name in days.items()}
            for year, days in self.settled.items()
        }
        return replace(schedule, settled=settled)

    def _known(self, now: datetime) -> dict[str, dict[str, str]]:
        """The dates of the holidays, as they are known today."""
        years = range(now.year - SETTLED_BEHIND_YEARS, now.year + SETTLED_AHEAD_YEARS + 1)
        known = self.schedule().settle(years)
        return {
            str(year): {day.isoformat(): name for day, name in days.items()} for year, days in known.items()
        }

    def _require_open(self) -> None:
        if not self.schedule().is_ever_open:
            raise invalid("calendar.hours", "INVALID_HOURS", NEVER_OPEN)


def _written(part: list[Any]) -> list[dict[str, Any]]:
    """Hours, holidays or exceptions as docs/calendars.md has them."""
    return [
        {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(each).items()}
        for each in part
    ]


def _moved(settled: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether other dates are known now than were settled, of years of which both say something."""
    return any(settled[year] != known[year] for year in settled.keys() & known.keys())
