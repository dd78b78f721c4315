"""`rapport calendar minutes|add|explain`: business time by a calendar in a file."""

import json
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapport_imports.wording import counted, line
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.import_file import DateFormat, Encoding, HeaderRow, Sheet, SourceFile
from rapport_tools.cli.output import say, write_json

if TYPE_CHECKING:
    from chassis.business_time import Calendar
    from rapport_imports.durations import Durations

STEPS_MAX = 366
_HELP = """Count business time by a calendar in a file. No stack needs to run.

The calendar is JSON, all of it described in docs/calendars.md: windows of weekdays, several a day if need be,
holidays by country, and dates that are exceptions.

{"timeZone": "America/New_York",
"hours": [{"days": ["MONDAY", "TUESDAY"], "windows": [{"opens": "09:00", "closes": "17:00"}]}],
"holidays": [{"country": "US", "subdivision": "NY"}],
"exceptions": [{"date": "2026-12-24", "windows": []}]}
"""
app = typer.Typer(name="calendar", help=_HELP, no_args_is_help=True)
_MINUTES_HELP = """Count the business minutes between two columns of a file, over all its rows.

Files are read as by `rapport import`: CSV in any encoding and of any delimiter, packed with gzip or not, or
XLSX. Whether dates begin with the day or the month the whole column decides. Times that do not say their zone
are read in the calendar's.

Of each row the whole minutes count; what is left under a minute does not go over to another row. A row is
refused, and counts nothing, without a start or an end, with an end before its start, or when one of them
cannot be read.

With --json one object: `rows`, all that were read; `minutes`, the sum; `refused`, how many rows.
"""
CalendarFile = Annotated[
    Path, typer.Option("--calendar", metavar="FILE", help="The calendar, JSON: docs/calendars.md.")
]
Moment = Annotated[
    str, typer.Argument(metavar="MOMENT", help="ISO 8601; without an offset, in the calendar's zone.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command("minutes", help=_MINUTES_HELP)
def minutes(
    file: SourceFile,
    start: Annotated[str, typer.Option(metavar="COLUMN", help="The column of when each row begins.")],
    end: Annotated[str, typer.Option(metavar="COLUMN", help="The column of when it ends.")],
    calendar: CalendarFile,
    date_format: DateFormat = "",
    encoding: Encoding = "",
    header_row: HeaderRow = 1,
    sheet: Sheet = "",
    as_json: AsJson = False,
) -> None:
    """Count a file: see `_MINUTES_HELP`."""
    from rapport_imports.dates import format_of
    from rapport_imports.decoding import UnreadableFile
    from rapport_imports.durations import Counting
    from rapport_imports.tabular import open_table
    from rapport_tools.cli.import_file import progressing

    began, opened = time.monotonic(), _calendar(calendar)
    try:
        table = open_table(file, encoding=encoding, header_row=header_row, sheet=sheet)
        written = format_of(date_format) if date_format else ""
        with progressing(file.name, show=not as_json) as progress:
            found = Counting(table, opened, start, end, written, lambda rows: progress(rows, None)).count()
    except UnreadableFile as error:
        raise Failure(str(error), Exit.WRONG_USE) from error
    if as_json:
        write_json({"rows": found.rows, "minutes": found.minutes, "refused": found.refused})
    else:
        zone = opened.schedule.zone
        say(line(f"{file.name}: from {start} to {end}, by {calendar.name} ({zone})"))
        _tell(found, time.monotonic() - began)


@app.command("explain")
def explain(start: Moment, end: Moment, calendar: CalendarFile, as_json: AsJson = False) -> None:
    """Say which business time there is between two moments, day by day."""
    opened = _calendar(calendar)
    since, until = _moment(start, opened), _moment(end, opened)
    if until.astimezone() < since.astimezone():
        raise Failure("the second moment must not be before the first", Exit.WRONG_USE)
    _tell_steps(opened, since, until, as_json=as_json)


@app.command("add")
def add(
    start: Moment,
    minutes: Annotated[int, typer.Argument(min=0, max=10**7, help="Business minutes.")],
    calendar: CalendarFile,
    as_json: AsJson = False,
) -> None:
    """Say when so many business minutes have passed since a moment, day by day."""
    opened = _calendar(calendar)
    since = _moment(start, opened)
    _tell_steps(opened, since, opened.add(since, timedelta(minutes=minutes)), as_json=as_json)


def _calendar(path: Path) -> "Calendar":
    from chassis.business_time import Calendar, read
    from chassis.errors import InvalidArgument

    try:
        return Calendar(read(json.loads(path.read_bytes())))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Failure(line(f"{path.name} is no JSON: {error}"), Exit.WRONG_USE) from error
    except InvalidArgument as wrong:
        told = [f"  {each.field}: {each.description}".replace("  : ", "  ") for each in wrong.violations]
        what = f"{path.name} is no calendar as docs/calendars.md has it:"
        raise Failure("\n".join([what, *map(line, told)]), Exit.WRONG_USE) from wrong


def _moment(text: str, calendar: "Calendar") -> datetime:
    from chassis.business_time import FIRST_YEAR, LAST_YEAR

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or not FIRST_YEAR < at.year < LAST_YEAR:
        raise Failure(f"{line(text)}: must be a moment like 2026-11-27T16:30", Exit.WRONG_USE)
    return at if at.tzinfo else at.replace(tzinfo=calendar.schedule.zone)


def _tell_steps(calendar: "Calendar", start: datetime, end: datetime, *, as_json: bool) -> None:
    from chassis.business_time import explain

    zone, total = calendar.schedule.zone, calendar.minutes(start, end)
    begins, ends = (each.astimezone(zone).isoformat() for each in (start, end))
    steps = islice(explain(calendar, start, end), STEPS_MAX)
    if as_json:
        days = [
            {
                "date": str(step.day),
                "open": [[each.isoformat() for each in part] for part in step.parts],
                "minutes": step.elapsed // timedelta(minutes=1),
                "reason": step.reason,
            }
            for step in steps
        ]
        write_json({"start": begins, "end": ends, "minutes": total, "days": days})
        return
    say(f"{begins} to {ends}: {counted(total, 'business minute')}")
    for step in steps:
        say(line(f"  {step}"))
    if (end - start).days > STEPS_MAX:
        say(f"  and so on: the first {STEPS_MAX} days are told")


def _tell(found: "Durations", seconds: float) -> None:
    rate = found.rows / seconds if seconds else 0
    say(f"  {counted(found.rows, 'row')} read in {seconds:.1f} s ({rate:,.0f} rows/s)")
    hours = f"{found.elapsed / timedelta(hours=1):,.2f} hours"
    say(f"  {counted(found.minutes, 'business minute')}, each row's whole ones; to the second {hours}")
    for note in found.notes:
        say(f"  {line(note)}", err=True)
    if found.refused:
        say(f"  refused {counted(found.refused, 'row')}:", err=True)
    for each in sorted(found.refusals, key=lambda each: -each.count):
        column = f" in {each.column}" if each.column else ""
        say(line(f"    {each.count:,} x {each.reason}{column}: {each.description}"), err=True)
        more = ", ..." if each.count > len(each.lines) else ""
        say(f"      lines {', '.join(map(str, each.lines))}{more}", err=True)
