"""What a whole column of dates decides: which part of one comes first, and whether they are numbers."""

import re

from rapport_imports import dates
from rapport_imports.decoding import UnreadableFile

_MONTHS = 12


class DayOrder:
    """Decides whether 03/04/2026 is in April or in March, when it has seen the whole column."""

    def __init__(self) -> None:
        self._shown: set[str] = set()
        self._unclear: tuple[int, str] | None = None
        self._short: tuple[int, str] | None = None  # with a year of two digits

    def add(self, line: int, cell: str) -> None:
        match = dates.NUMBERS.fullmatch(cell.strip())
        if match and len(match[4]) == 2:
            self._add_short(line, cell.strip(), match)
            return
        match = match or dates.DAY_AND_MONTH.fullmatch(cell.strip())
        if match is None or match[2] == ".":
            return
        first, second = int(match[1]), int(match[3])
        if first > _MONTHS or second > _MONTHS:
            self._shown.add("day" if first > _MONTHS else "month")
        elif first != second:
            self._unclear = self._unclear or (line, cell.strip())

    def _add_short(self, line: int, cell: str, match: re.Match[str]) -> None:
        """With two digits for a year it may come first as well, unless what cannot be a month is between."""
        if match[2] != "." and int(match[3]) > _MONTHS:
            self._shown.add("month")
        elif match[2] != ".":
            self._short = self._short or (line, cell)

    @property
    def is_unclear(self) -> bool:
        """Whether one may be either, and none shows it."""
        return self._unclear is not None and not self._shown

    def decided(self, *, asks: bool = True) -> str:
        """`day`, `month`, or empty when every date shows it, or none does.

        UnreadableFile when one may be either; unless nobody `asks`, and such a date is left out.
        """
        if self._short and asks and self._shown != {"month"}:
            line, cell = self._short
            raise UnreadableFile(
                f"{cell} on line {line} may begin with the day, the month or the year: say --date-format "
                "DD/MM/YY, MM/DD/YY or YY/MM/DD"
            )
        if self._unclear is None or len(self._shown) == 1 or not asks:
            return next(iter(self._shown)) if len(self._shown) == 1 else ""
        line, cell = self._unclear
        raise UnreadableFile(
            f"{cell} on line {line} may begin with the day or the month: say --date-format %d/%m/%Y or "
            "--date-format %m/%d/%Y"
        )


class DayNumbers:
    """Finds that a column counts days, when it has seen all of it, where nobody says since when."""

    def __init__(self) -> None:
        self._first: tuple[int, str] | None = None
        self._has_dates = False

    def add(self, line: int, cell: str) -> None:
        if dates.is_number(cell.strip()):
            self._first = self._first or (line, cell.strip())
        elif cell.strip():
            self._has_dates = True

    def decided(self) -> None:
        """UnreadableFile when every date is a number."""
        if self._first and not self._has_dates:
            line, cell = self._first
            raise UnreadableFile(
                f"{cell} on line {line} is a number of days, as all dates: say which day is the first with "
                "--day-one, such as --day-one 2017-01-01; of dates of Excel it is 1899-12-31"
            )
