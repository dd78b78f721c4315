"""Departments' own parts of a customer view, and how values are written on its page."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chassis.api.messages import shown_amount
from rapport.customer.v1 import section_pb2, view_pb2
from rapport.options.v1 import layout_pb2
from rapport_imports.wording import line

ALARM = "bold red"


def sections(view: view_pb2.CustomerView) -> Iterator[RenderableType]:
    """Each section as a list of labels and values, whatever department it is of. Alarms stand out."""
    for section in view.sections:
        cells = Table.grid(padding=(0, 2))
        for cell in section.cells:
            label = Text(line(f"  {cell.label}"), "dim")
            cells.add_row(label, Text(line(value(cell)), ALARM if cell.alarm else ""))
        yield Group(_heading(section), cells)


def _heading(section: section_pb2.ViewSection) -> Text:
    is_stale = section.HasField("stale_time") and section.stale_time.ToDatetime(UTC) <= datetime.now(UTC)
    return Text.assemble(
        (f"\n{line(section.display_name)}", "bold"),
        (f"  as of {moment(section.as_of_time)}", "dim"),
        ("  out of date", "bold yellow") if is_stale else "",
    )


def value(cell: section_pb2.SectionCell) -> str:
    """The value by its type, so that a format of tomorrow is shown as well."""
    kind = cell.WhichOneof("value")
    if kind is None:
        return ""
    if cell.format == layout_pb2.CELL_FORMAT_PERCENT:
        return f"{cell.number:.1%}"
    return _WRITTEN[kind](getattr(cell, kind))


def money(amount: Money) -> str:
    return shown_amount(amount, ",")


def moment(at: Timestamp) -> str:
    """A moment to the minute, in UTC."""
    return at.ToDatetime().strftime("%Y-%m-%d %H:%M") if at.seconds else "-"


def day(on: Date) -> str:
    """A day as ISO has it."""
    return f"{on.year}-{on.month:02}-{on.day:02}"


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "text": str,
    "count": "{:,}".format,
    "number": "{:,g}".format,
    "money": money,
    "date": day,
    "time": moment,
    "flag": lambda flag: "yes" if flag else "no",
}
