"""JSON Lines: an object in each line, whose names are those of the columns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapport_imports.decoding import Encoding, UnreadableFile, lines, readable, text

DELIMITER = "{"  # what such a table has in place of what separates cells


def records(path: Path, encoding: Encoding) -> Iterator[tuple[int, list[str]]]:
    """The names of all columns, as line 1, and the values of each object, the line before counted.

    A list is a value on each line, what is further within is JSON. UnreadableFile for what is no object.
    """
    names = _names(path, encoding)
    yield 1, list(names)
    for number, found in _objects(path, encoding):
        yield number + 1, [_text(found.get(name)) for name in names]


def _names(path: Path, encoding: Encoding) -> dict[str, None]:
    """In the order in which they come; of some an object may have none."""
    names: dict[str, None] = {}
    for _, found in _objects(path, encoding):
        if found.keys() - names.keys():
            names |= dict.fromkeys(found)
    return names


def _objects(path: Path, encoding: Encoding) -> Iterator[tuple[int, dict[str, Any]]]:
    with readable(path), text(path, encoding) as source:
        for number, line in enumerate(lines(path, source), start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line, parse_float=str, parse_int=str)
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                raise UnreadableFile(f"{path.name}: line {number} must be an object of JSON, as the first is")
            yield number, found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return "\n".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
