"""How a file is read, beyond what is in it: a refused row means what it meant, when it is imported mended."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from rapport_imports.decoding import UnreadableFile
from rapport_imports.tools import PLAIN


@dataclass(frozen=True, slots=True)
class Reading:
    """Whatever decides what a row means: what the command line said, and what the whole file decided.

    `system` is whose ids the rows hold, `department` who promised the orders; `spares` are the columns that
    hold a field where that of `columns` has nothing; the others are as in `Notation`.
    """

    kind: str = ""
    system: str = ""
    department: str = ""
    date_format: str = ""
    first: Annotated[str, Field(pattern="^(day|month)?$")] = ""
    time_zone: str = ""
    country: str = ""
    decimal: str = ""
    currency: str = ""
    day_one: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    spares: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    def written(self) -> str:
        """As a cell holds it."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, sort_keys=True)


def read(cell: str) -> Reading | None:
    """What `written` wrote; None for anything else."""
    try:
        return TypeAdapter(Reading).validate_json(cell)
    except ValidationError:
        return None


def as_before(wanted: Any, before: Reading) -> Any:
    """What the command line leaves open, as it was when these rows were refused.

    What they are, whose, and which department's, stays: another would be another row. Only where nobody said
    whose they are it may be said now. UnreadableFile.
    """
    for name in ("kind", "system", "department"):
        was, now = getattr(before, name), getattr(wanted, name)
        if now and was not in ("", now, PLAIN):
            raise UnreadableFile(
                f"{wanted.file.name}: its rows were refused with {name} {was}, and stay so; with {now} "
                "import the file that they come from"
            )
    if before.department and wanted.kind != "orders":
        raise UnreadableFile(f"{wanted.file.name}: its rows have a department, which {wanted.kind} do not")
    names = (
        *("system", "department", "date_format", "time_zone", "country", "decimal", "currency"),
        "day_one",
    )
    return replace(wanted, **{name: getattr(wanted, name) or getattr(before, name) for name in names})


def obeyed(wanted: Any, before: Reading) -> str:
    """What a file of refused rows decides, with what the command line says in its place: whoever made it."""
    dates = before.first and f"{before.first} first"
    parts = {
        "system": wanted.system,
        "department": wanted.department,
        "dates": wanted.date_format or dates,
        "times of": wanted.time_zone,
        "country": wanted.country,
        "decimal": {".": "point", ",": "comma"}.get(wanted.decimal, ""),
        "currency": wanted.currency,
        "day 1 being": wanted.day_one,
        "all with": ", ".join(f"{name} {value}" for name, value in before.constants.items()),
    }
    said = ", ".join(f"{what} {value}" for what, value in parts.items() if value)
    return f"a file of refused rows: read as rows of {said}, each as the line of the file that it comes from"
