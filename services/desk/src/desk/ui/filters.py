"""Filters of lists, to be told in words."""

import re

_TERM = re.compile(r"(\w+)\s*(?:!=|<=|>=|[=<>:])\s*(\"[^\"]*\"|\S+)")


def terms(filter: str) -> list[tuple[str, str]]:
    """The fields that a filter compares, each with the value, without its quotes."""
    return [(name, value.strip('"')) for name, value in _TERM.findall(filter)]
