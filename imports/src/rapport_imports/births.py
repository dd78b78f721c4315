"""Birth dates as people and exports write them. What may be two is none: nobody guesses a birthday."""

import re
from datetime import UTC, date, datetime

from google.type.date_pb2 import Date

from rapport_imports import dates

# What exports write for no date: the first day that a spreadsheet or a database knows.
_NOTHING = frozenset(
    {date(1, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1900, 1, 2)}
)
_ZEROS = re.compile(r"0000(?:-00){0,2}(?!\S)")
_EARLIEST = date(1850, 1, 1)
_TIME = re.compile(r"(?:T|\s+)(?:00|12|23|2[0-2]|0?\d):.*$")
_COMPACT = re.compile(r"\d{8}")
_PART = re.compile(r"(\d{4})(?:-(\d{2}))?")
_NO_YEAR = re.compile(r"--(\d{2})-?(\d{2})")
_SHORT = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{2})")


def born(text: str, date_format: str, first: str) -> Date | None:
    """The date as far as it is known: a day, a year, a month of one, or a day of any year. None for nobody's.

    Args:
        text: ISO 8601, also without dashes, only to the month or year, or `--04-12`; what `dates.read` takes.
            A time of day beside it does not move it.
        date_format: how dates are written, as `strptime` takes it.
        first: `day` or `month`, which of them begins a date with slashes.

    Raises ValueError for what is none, or may be two.
    """
    today = datetime.now(UTC).date()
    if _ZEROS.match(text):
        return None
    if match := _NO_YEAR.fullmatch(text):
        day = date(2000, int(match[1]), int(match[2]))  # a year that has every day
        return Date(month=day.month, day=day.day)
    if match := _PART.fullmatch(text):
        year, month = int(match[1]), int(match[2] or 0)
        if not _EARLIEST <= date(year, month or 1, 1) <= today:
            raise ValueError
        return Date(year=year, month=month)
    if _COMPACT.fullmatch(text) and not date_format:
        at = date.fromisoformat(text)
    elif (match := _SHORT.fullmatch(text)) and not date_format:
        at = dates.read(f"{text[:-2]}{_century(match[4])}", "", first).date()
    else:
        at = dates.read(text if date_format else _TIME.sub("", text), date_format, first).date()
    if at in _NOTHING:
        return None
    if not _EARLIEST <= at <= today:
        raise ValueError
    return Date(year=at.year, month=at.month, day=at.day)


def _century(year: str) -> str:
    """A year of two digits with its century; ValueError for one of both: a child or somebody very old."""
    if int(year) <= datetime.now(UTC).year % 100:
        raise ValueError
    return f"19{year}"
