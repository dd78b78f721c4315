"""A schedule compiled to intervals, so that time in it is found by searching."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.business_time.schedule import Schedule
from chassis.errors import FailedPrecondition

HORIZON_YEARS = 20  # how far ahead time is looked for: an SLA of decades is a mistake
FIRST_YEAR, LAST_YEAR = 1900, 2200  # of moments that calendars know
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_TICK = timedelta(microseconds=1)
_SECOND, _MINUTE, _DAY = 10**6, 60 * 10**6, 86_400 * 10**6  # in ticks
_STEP_S = 86_400  # no zone has changed its offset there and back within a day


@dataclass(frozen=True, slots=True)
class _Year:
    """The open intervals of a year of UTC, in order and apart, in ticks since 1970.

    `before` is how much is open before each, and at last in all of the year.
    """

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=lambda: [0])

    def add(self, start: int, end: int) -> None:
        if self.ends and self.ends[-1] == start:
            self.ends[-1] = end
            self.before[-1] += end - start
        else:
            self.starts.append(start)
            self.ends.append(end)
            self.before.append(self.before[-1] + end - start)

    def until(self, at: int) -> int:
        """How much of the year is open before a moment in it."""
        i = bisect_right(self.starts, at)
        return self.before[i - 1] + min(at, self.ends[i - 1]) - self.starts[i - 1] if i else 0


class Calendar:
    """A schedule, compiled a year at a time when that year is first asked about. Moments are aware datetimes.

    It does not change, and threads may share it.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._years: dict[int, _Year] = {}

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """How much business time there is from `start` to `end`. ValueError when `end` is before it."""
        return timedelta(microseconds=self._ticks(start, end))

    def minutes(self, start: datetime, end: datetime) -> int:
        """The whole business minutes from `start` to `end`. ValueError when `end` is before it."""
        return self._ticks(start, end) // _MINUTE

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The first moment at which so much business time has passed since `start`, in UTC.

        What ends with a window ends when that closes, not when the next one opens. `start` itself for no time
        at all. ValueError for less. FailedPrecondition CALENDAR_CLOSED when there is not as much in 20 years.
        """
        if duration < timedelta():
            raise ValueError(f"duration must not be negative, not {duration}")
        if not duration:
            return start.astimezone(UTC)
        at = _ticks_of(start)
        first = _year_of(start)
        left = duration // _TICK + self._year(first).until(at)
        for number in range(first, self._last_year(first) + 1):
            year = self._year(number)
            if left <= year.before[-1]:
                i = bisect_left(year.before, left) - 1
                return _moment(year.starts[i] + left - year.before[i])
            left -= year.before[-1]
        raise _closed(start)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at that moment: when a window opens, and not any more when it closes."""
        ticks, year = _ticks_of(at), self._year(_year_of(at))
        i = bisect_right(year.starts, ticks)
        return i > 0 and ticks < year.ends[i - 1]

    def next_opening(self, at: datetime) -> datetime:
        """The first moment, not before `at`, at which it is open, in UTC.

        FailedPrecondition CALENDAR_CLOSED when there is none in 20 years.
        """
        if self.is_open(at):
            return at.astimezone(UTC)
        ticks, first = _ticks_of(at), _year_of(at)
        for number in range(first, self._last_year(first) + 1):
            year = self._year(number)
            i = bisect_left(year.starts, ticks)
            if i < len(year.starts):
                return _moment(year.starts[i])
        raise _closed(at)

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From when until when it is open between two moments, in UTC; divided where a year of UTC ends."""
        begins, ends = _ticks_of(start), _ticks_of(end)
        for number in range(_year_of(start), _year_of(end) + 1):
            year = self._year(number)
            for i in range(bisect_right(year.ends, begins), bisect_left(year.starts, ends)):
                yield _moment(max(year.starts[i], begins)), _moment(min(year.ends[i], ends))

    def _last_year(self, first: int) -> int:
        return min(first + HORIZON_YEARS, LAST_YEAR)

    def _ticks(self, start: datetime, end: datetime) -> int:
        begins, ends = _ticks_of(start), _ticks_of(end)  # datetimes of one zone compare by the wall clock
        if ends < begins:
            raise ValueError(f"end must not be before start, {start.isoformat()}, not {end.isoformat()}")
        first, last = _year_of(start), _year_of(end)
        whole = sum(self._year(number).before[-1] for number in range(first, last))
        return whole + self._year(last).until(ends) - self._year(first).until(begins)

    def _year(self, number: int) -> _Year:
        found = self._years.get(number)
        if found is None:
            found = self._years[number] = _compiled(self.schedule, number)
        return found


def _compiled(schedule: Schedule, number: int) -> _Year:
    """A year of UTC: in each stretch without a change of the clocks, the windows of the days in it."""
    if not FIRST_YEAR <= number <= LAST_YEAR:
        raise ValueError(f"must be between the years {FIRST_YEAR} and {LAST_YEAR}, not in {number}")
    year = _Year()
    plans: dict[int, tuple[tuple[int, int], ...]] = {}
    for begins, ends, offset in _stretches(schedule.zone, number):
        for day in range((begins + offset) // _DAY, (ends + offset - 1) // _DAY + 1):
            if day not in plans:
                plans[day] = schedule.plan(date.fromordinal(_EPOCH_DAY + day)).windows
            midnight = day * _DAY - offset
            for opens, closes in plans[day]:
                start, end = max(begins, midnight + opens * _MINUTE), min(ends, midnight + closes * _MINUTE)
                if start < end:
                    year.add(start, end)
    return year


def _stretches(zone: ZoneInfo, number: int) -> Iterator[tuple[int, int, int]]:
    """The parts of a year of UTC between changes of the clocks: from, until and the offset, in ticks."""
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (number, number + 1))
    begins, offset = first, _offset_s(zone, first)
    for at in range(first + _STEP_S, last + _STEP_S, _STEP_S):
        at = min(at, last - 1)
        if _offset_s(zone, at) != offset:
            change = bisect_left(
                range(at), True, max(begins, at - _STEP_S), key=lambda s: _offset_s(zone, s) != offset
            )
            yield begins * _SECOND, change * _SECOND, offset * _SECOND
            begins, offset = change, _offset_s(zone, change)
    yield begins * _SECOND, last * _SECOND, offset * _SECOND


def _offset_s(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None, "the zone of an aware moment"
    return offset.days * 86_400 + offset.seconds


def _ticks_of(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _year_of(at: datetime) -> int:
    return at.astimezone(UTC).year


def _moment(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)


def _closed(at: datetime) -> FailedPrecondition:
    told = f"The calendar does not open for so long in the {HORIZON_YEARS} years after {at.isoformat()}."
    return FailedPrecondition("CALENDAR_CLOSED", told, {"years": HORIZON_YEARS, "after": at.isoformat()})
