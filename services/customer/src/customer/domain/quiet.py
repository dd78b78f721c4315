"""When a customer wants quiet, and from when on they can be contacted again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from chassis.business_time import (
    DAY_MINUTES,
    NOT_A_TIME_OF_DAY,
    WEEKDAYS,
    Calendar,
    Schedule,
    Weekday,
    Window,
    minutes_of,
)

QUIET_HOURS, PAUSED = "quiet-hours", "paused"
NEVER_WELCOME = "must leave some time of the week in which contact is welcome"

Week = tuple[tuple[Window, ...], ...]


@dataclass(slots=True)
class QuietHours:
    """From when until when, `HH:MM`, on the days on which it begins; without days every day.

    What ends before it starts ends on the next day.
    """

    days: list[Weekday]
    starts: str
    ends: str

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong with them: the field, and what is allowed."""
        starts, ends = minutes_of(self.starts), minutes_of(self.ends)
        if starts is None or starts == DAY_MINUTES:
            yield "starts", "must be a time of day like 22:00, before 24:00"
        if ends is None:
            yield "ends", NOT_A_TIME_OF_DAY
        elif ends == starts:
            yield "ends", "must be another time than starts; a whole day is 00:00 to 24:00"
        if len(set(self.days)) < len(self.days):
            yield "days", "must have each weekday once"

    def windows(self) -> Iterator[tuple[int, Window]]:
        """The windows of quiet by weekday, Monday first; none over midnight."""
        starts, ends = minutes_of(self.starts), minutes_of(self.ends)
        assert starts is not None, "checked when they were said"
        assert ends is not None, "as that"
        for day in self.days or WEEKDAYS:
            begins = WEEKDAYS.index(day)
            if starts < ends:
                yield begins, Window(starts, ends)
                continue
            yield begins, Window(starts, DAY_MINUTES)
            if ends:
                yield (begins + 1) % len(WEEKDAYS), Window(0, ends)


@dataclass(slots=True)
class Pause:
    """Quiet by day and night; without a start it has begun."""

    start_time: datetime | None
    end_time: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it does at that moment: when it starts, and not any more when it ends."""
        return (self.start_time is None or self.start_time <= at) and at < self.end_time


@dataclass(frozen=True, slots=True)
class Quiet:
    """Why a customer is not contacted now, `paused` or `quiet-hours`, and until when; for good without."""

    reason_code: str
    until: datetime | None


def welcome(quiet_hours: Iterable[QuietHours]) -> Week:
    """The windows of each weekday in which contact is welcome: what quiet hours leave."""
    shut: list[list[Window]] = [[] for _ in WEEKDAYS]
    for each in quiet_hours:
        for day, window in each.windows():
            shut[day].append(window)
    return tuple(tuple(_between(sorted(day))) for day in shut)


def quiet_at(
    quiet_hours: Sequence[QuietHours], pauses: Sequence[Pause], zone: ZoneInfo, now: datetime
) -> Quiet | None:
    """Whether the customer, whose clock is that of a zone, wants quiet now; None when contact is welcome.

    It ends when neither quiet hours nor a pause hold any more, also where one begins in the other.
    """
    week = welcome(quiet_hours)
    if not any(week):  # of several who were merged, one by day and one by night
        return Quiet(QUIET_HOURS, None)
    calendar, at, why = _calendar(zone, week), now.astimezone(UTC), ""
    while True:
        paused = max((pause.end_time for pause in pauses if pause.holds(at)), default=None)
        opens = paused or calendar.next_opening(at)
        if opens == at:
            return Quiet(why, at) if why else None
        at, why = opens, why or (PAUSED if paused else QUIET_HOURS)


def _between(shut: Iterable[Window]) -> Iterator[Window]:
    """What windows, in order, leave of a day."""
    at = 0
    for window in shut:
        if window.opens > at:
            yield Window(at, window.opens)
        at = max(at, window.closes)
    if at < DAY_MINUTES:
        yield Window(at, DAY_MINUTES)


@lru_cache(maxsize=1024)  # a year of one is compiled in some milliseconds, and many want quiet by night
def _calendar(zone: ZoneInfo, week: Week) -> Calendar:
    return Calendar(Schedule(zone, week))
