"""What commands write: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from chassis.api.text import NOT_TEXT

if TYPE_CHECKING:
    from rich.console import Console

PIPE_COLUMNS = 200
# What stands for what a terminal would obey.
_PICTURES = {chr(code): chr(0x2400 + code) for code in range(32)} | {"\x7f": "\N{SYMBOL FOR DELETE}"}
AsJson = typer.Option(False, "--json", help="Write JSON instead of a table.")


def shown(text: str) -> str:
    """The text with control characters as their pictures: a terminal obeys the former."""
    return NOT_TEXT.sub(lambda found: _PICTURES.get(found[0], "\N{SYMBOL FOR SUBSTITUTE FORM TWO}"), text)


def listing(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Write rows: every field as JSON, or the named columns as a table; `empty` when there are none."""
    if as_json:
        write_json(rows)
    elif not rows:
        typer.echo(empty)
    else:
        _table(rows, columns)


def write_json(value: Any) -> None:
    """Write one JSON document."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def write_lines(lines: Iterable[str]) -> None:
    """Write lines as they come, each at once."""
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def age(seconds: float) -> str:
    """A duration in one unit, for people: `12 s`, `5 min`, `3 h`, `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def console() -> "Console":
    """The terminal; into a file or a pipe, lines are as long as they need to be."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=PIPE_COLUMNS)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    console().print(table, markup=False, highlight=False)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.1f}" if isinstance(value, float) else str(value)
