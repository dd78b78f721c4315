"""Filters of lists, to be told in words."""

import re
from datetime import date

from google.type.date_pb2 import Date

_DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}")
_TERM = re.compile(r"(\w+)\s*(?:!=|<=|>=|[=<>:])\s*(\"[^\"]*\"|\S+)")


def terms(filter: str) -> list[tuple[str, str]]:
    """The fields that a filter compares, each with the value, without its quotes."""
    return [(name, value.strip('"')) for name, value in _TERM.findall(filter)]


def day_of_year(text: str) -> Date | None:
    """A day such as `03-14`; None for what is none."""
    try:
        of_leap_year = date.fromisoformat(f"2000-{text}") if _DAY_OF_YEAR.fullmatch(text) else None
    except ValueError:
        return None
    return Date(month=of_leap_year.month, day=of_leap_year.day) if of_leap_year else None
