"""How long what the rows of a file tell of took, in business time: from one column to another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chassis.business_time import FIRST_YEAR, LAST_YEAR, Calendar
from rapport_imports import dates
from rapport_imports.deciding import DayOrder
from rapport_imports.decoding import UnreadableFile
from rapport_imports.nothing import is_nothing
from rapport_imports.tabular import Row, Table

LINES_SHOWN = 20
_MINUTE = timedelta(minutes=1)
_PROGRESS_ROWS = 10_000


@dataclass(slots=True)
class Refused:
    """Rows that are not counted for one reason: how many, and the first of their lines."""

    reason: str
    column: str
    description: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Durations:
    """What was counted.

    `rows` are all that were read. `minutes` are the whole business minutes of each row that was not refused,
    summed; `elapsed` is the sum of all their business time, to the microsecond: more, by what is left of each
    row under a minute. `notes` say how the file was read where it might have been otherwise.
    """

    rows: int = 0
    minutes: int = 0
    refused: int = 0
    elapsed: timedelta = timedelta()
    refusals: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, reason: str, column: str, description: str) -> None:
        self.refused += 1
        same = next((r for r in self.refusals if (r.reason, r.column) == (reason, column)), None)
        if same is None:
            same = Refused(reason, column, description)
            self.refusals.append(same)
        same.count += 1
        if len(same.lines) < LINES_SHOWN:
            same.lines.append(line)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of moments: how they are written, and what a row without one is called."""

    name: str
    missing: str  # the reason, `NO_START`
    first: str  # `day` or `month`, what begins a date with slashes


class _Unread(Exception):
    """A cell that holds no moment: why not, and what is allowed."""


@dataclass(frozen=True)
class Counting:
    """How a file is counted: a row from its cell in `start` to that in `end`.

    Times that do not say their zone are read in the calendar's: of those that its clocks show twice the first
    is meant, and one that they skip is as much later as they go forward. A date alone is its first moment.
    """

    table: Table
    calendar: Calendar
    start: str
    end: str
    date_format: str = ""
    progress: Callable[[int], None] = lambda rows: None

    def count(self) -> Durations:
        """Read the file twice: what its dates mean, then what they say. UnreadableFile."""
        found = Durations()
        columns = self._columns(found)
        for row in self.table.rows():
            found.rows += 1
            self._count(row, columns, found)
            if found.rows % _PROGRESS_ROWS == 0:
                self.progress(found.rows)
        self.progress(found.rows)
        for each in found.refusals:
            if each.reason == "INVALID_TIME" and each.count == found.rows:
                raise UnreadableFile(f"no cell of {each.column} can be read: each {each.description}")
        return found

    def _columns(self, found: Durations) -> tuple[_Column, _Column]:
        """Which columns are meant, and whether day or month is first in them: as the whole file says."""
        start, end = (self._named(name) for name in (self.start, self.end))
        first = dict.fromkeys((start, end), "")
        if not self.date_format:
            orders = {name: DayOrder() for name in first}
            for row in self.table.rows():
                for name, order in orders.items():
                    order.add(row.line, row.cells.get(name, ""))
            first = _decided(orders)
        for part in sorted(set(filter(None, first.values()))):
            found.notes.append(f"dates are read with the {part} first")
        found.notes += [self.table.encoding.note] if self.table.encoding.note else []
        return _Column(start, "NO_START", first[start]), _Column(end, "NO_END", first[end])

    def _named(self, name: str) -> str:
        """The column that is meant: of that name, else the only one that is called so in other case."""
        header = self.table.header
        alike = [each for each in header if each.casefold() == name.strip().casefold()]
        if name in header or len(alike) == 1:
            return name if name in header else alike[0]
        raise UnreadableFile(f"there is no column {name}: the columns are {', '.join(header)}")

    def _count(self, row: Row, columns: tuple[_Column, _Column], found: Durations) -> None:
        if row.problems:
            problem = row.problems[0]
            found.refuse(row.line, problem.reason, problem.column, problem.description)
            return
        moments = []
        for column in columns:
            try:
                moments.append(self._moment(row.cells.get(column.name, "").strip(), column))
            except _Unread as wrong:
                reason, description = wrong.args
                found.refuse(row.line, reason, column.name, description)
                return
        start, end = moments
        if end < start:
            found.refuse(row.line, "END_BEFORE_START", columns[1].name, f"is before {columns[0].name}")
            return
        elapsed = self.calendar.elapsed(start, end)
        found.minutes += elapsed // _MINUTE
        found.elapsed += elapsed

    def _moment(self, text: str, column: _Column) -> datetime:
        if is_nothing(text):
            raise _Unread(column.missing, "must hold a date or time")
        try:
            at = self._read(text, column.first)
        except ValueError:
            at = None
        if (at is None or at.year <= FIRST_YEAR) and dates.says_nothing(text):
            raise _Unread(column.missing, "must hold a date or time")
        if at is None or not FIRST_YEAR < at.year < LAST_YEAR:
            allowed = (
                f"must be a day that there is, of the years {FIRST_YEAR + 1} to {LAST_YEAR - 1}, with a time "
                f"or without, as in {dates.example(self.date_format)}; --date-format tells another notation"
            )
            raise _Unread("INVALID_TIME", allowed)
        return at.astimezone(UTC)

    def _read(self, text: str, first: str) -> datetime:
        """A moment; ValueError for what is none. ISO 8601 to the microsecond, all else to the second."""
        zone = self.calendar.schedule.zone
        if not self.date_format:
            try:
                at = datetime.fromisoformat(text)
                return at if at.tzinfo else at.replace(tzinfo=zone)
            except ValueError:
                pass
        return dates.read(text, self.date_format, first, zone)


def _decided(orders: dict[str, DayOrder]) -> dict[str, str]:
    """What each column begins dates with; one that leaves it open, what another does. UnreadableFile."""
    first: dict[str, str] = {}
    unclear: UnreadableFile | None = None
    for name, order in orders.items():
        try:
            first[name] = order.decided()
        except UnreadableFile as error:
            unclear = error
    others = set(filter(None, first.values()))
    if unclear and len(others) != 1:
        raise unclear
    return {name: first.get(name, "") or next(iter(others), "") for name in orders}
