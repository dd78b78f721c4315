"""What commands write: tables for people, JSON for programs."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from rapport_imports.wording import OBEYED, line, shown

AsJson = typer.Option(False, "--json", help="Write JSON instead of a table.")
LINE_MAX = 10_000


def say(text: str, *, err: bool = False) -> None:
    """Write text for people, of several lines perhaps. What is in it and comes from elsewhere is a `line`."""
    typer.echo(shown(text), err=err)


def listing(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Write rows: every field as JSON, or the named columns as a table; `empty` when there are none."""
    if as_json:
        write_json(rows)
    elif not rows:
        say(empty)
    else:
        _table(rows, columns)


def write_json(value: Any) -> None:
    typer.echo(escaped(json.dumps(value, indent=2, default=str, ensure_ascii=False)))


def escaped(document: str) -> str:
    """JSON with what a terminal obeys escaped as JSON does: a program reads the same."""
    return OBEYED.sub(_escape, document)


def write_lines(lines: Iterable[str], *, as_json: bool = False) -> None:
    """Write lines as they come, each at once; with `as_json`, lines of JSON."""
    for each in lines:
        sys.stdout.write((escaped(each) if as_json else line(each)) + "\n")
        sys.stdout.flush()


def age(seconds: float) -> str:
    """A duration in one unit, for people: `12 s`, `5 min`, `3 h`, `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.table import Table

    from rapport_tools.cli.terminal import Terminal

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    terminal = Terminal()
    if not terminal.is_terminal:  # no line is broken where another program reads it: a name is one word
        terminal.width = LINE_MAX
    terminal.print(table, markup=False)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return line(", ".join(map(str, value)))
    return f"{value:.1f}" if isinstance(value, float) else line(str(value))


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
