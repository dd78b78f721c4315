"""What a form says of a file, as `rapport_imports` is asked."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chassis.errors import invalid
from desk.language.catalogues import N_
from rapport_imports.wanted import Wanted

# What may be said of a file beside its columns; as of `rapport_imports.wanted.Wanted`.
TEXTS = (
    *("date_format", "country", "currency", "decimal", "time_zone", "system", "department", "encoding"),
    *("sheet", "day_one", "only"),
)
_OF_A_PROFILE = ("profile", "needed", "first")  # which is not said over again
_OF_THE_FILE = ("kind", "file", "errors", "dry_run")  # which a transfer is, and not what is said of it
LINES_MAX = 20
TEXT_MAX = 200
NAME_MAX = 100
_NOT_A_NAME = re.compile(r"[\x00-\x1f\x7f/\\:]")


def file_name(said: str) -> str:
    """What a file is called, as no path and of one line."""
    told = _NOT_A_NAME.sub("_", said.strip())[-NAME_MAX:].strip()
    return "file" if told in ("", ".", "..") else told


def wanted(
    said: Mapping[str, object], before: Mapping[str, Any], columns: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a form says: of columns only what is said otherwise than they are taken. InvalidArgument."""
    told: dict[str, Any] = {name: _text(said, name) for name in TEXTS if _text(said, name)}
    told |= {name: before[name] for name in _OF_A_PROFILE if name in before}
    line = _text(said, "header_row")
    if line:
        if not line.isdecimal() or len(line) > 6:
            raise invalid("header_row", "INVALID_NUMBER", N_("must be the number of a line, 0 for none"))
        told["header_row"] = int(line)
    if said.get("confirm"):
        told["confirm"] = True
    constants = [each.strip() for each in str(said.get("constants", "")).splitlines() if each.strip()]
    if len(constants) > LINES_MAX or any("=" not in each for each in constants):
        raise invalid("constants", "INVALID_TEXT", N_("must be FIELD=VALUE, one in a line"))
    mapping = dict(each.split("=", 1) for each in before.get("mapping", ()))
    ignore = dict.fromkeys(before.get("ignore", ()))
    for number, column in enumerate(columns):
        chosen = said.get(f"c{number}")
        if chosen is None or chosen == taken(column):
            continue
        name = column["name"]
        mapping = {field: other for field, other in mapping.items() if other != name}
        if chosen:
            ignore.pop(name, None)
            mapping[str(chosen)[:TEXT_MAX]] = name
        else:
            ignore[name] = None
    if needed := told.get("needed"):
        told["needed"] = {field: name for field, name in needed.items() if field not in mapping}
    parts = {
        "mapping": [f"{field}={name}" for field, name in mapping.items()],
        "ignore": [*ignore],
        "constants": constants,
    }
    return told | {name: part for name, part in parts.items() if part}


def said(wanted: Wanted) -> dict[str, Any]:
    """What is said of a file, as it is kept of a transfer; line 0 is said, too."""
    told = {name: value for name, value in asdict(wanted).items() if name not in _OF_THE_FILE}
    nothing: tuple[Any, ...] = ("", None, [], {})
    return {name: value for name, value in told.items() if value not in nothing and value is not False}


def taken(column: Mapping[str, Any]) -> str:
    """What a column is taken for, as a choice of the form."""
    return f"also:{column['spare_of']}" if column["spare_of"] else str(column["field"])


def _text(said: Mapping[str, object], name: str) -> str:
    return str(said.get(name, "")).strip()[:TEXT_MAX]
