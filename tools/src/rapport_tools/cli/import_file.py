"""`rapport import customers|purchases|orders|consents FILE`."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rapport_imports.wanted import Kind, Wanted, WrongOption
from rapport_imports.wording import counted, line
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import say, write_json
from rapport_tools.cli.session import Session
from rapport_tools.cli.terminal import Terminal
from rapport_tools.local.home import Home

app = typer.Typer()
_HELP = """Import a file, each line of it once: run it again after an interruption, and nothing doubles.

It says which columns it used and which it ignored. --map FIELD=COLUMN names others, by name or place (3, C);
the fields are

customers: external_id, display_name, given_name, additional_name, family_name, family_name_prefix,
second_family_name, honorific_prefix, honorific_suffix, organization_name, birth_date, email, phone, fax,
account_number, country, language, time_zone, role, and of an address street, street_2, house_number,
postal_code, city, state; home_, work_, billing_ and shipping_ before these, and before country, are of
further addresses.

purchases: customer (an id or e-mail address), email, date, time, amount, refunded, currency, quantity,
reference, status, store; of rows that are lines of an order, product and discount.

orders: customer (as above), email, order_id, order_date, promised_date, delivered_date.

consents: customer (as above), email, purpose, channel, consent, consent_date, left_date,
source, proof.

Refused rows are written to a file of their own with the reason; mend them there and import that file: each
counts as the line that it was, and is read as it was, unless options say otherwise.

--save-profile NAME keeps what was said and found of a file, for the one that comes next month: --profile NAME
reads that one so, and what is said beside it counts for more. rapport import-profiles lists them.

rapport revert-import JOB takes an import of customers back, by the name that it printed, for 90 days.
"""


class Who(StrEnum):
    """Of whom rows are imported."""

    NEW = "new"
    KNOWN = "known"


SourceFile = Annotated[Path, typer.Argument(help="CSV, packed with gzip or not, or XLSX.")]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", help="FIELD=COLUMN, where the name of a column does not tell. Repeat."),
]
Ignore = Annotated[list[str] | None, typer.Option(help="A column that is not to be read. Repeat.")]
Constants = Annotated[
    list[str] | None,
    typer.Option("--set", help="FIELD=VALUE of all rows in which no column says it. Repeat."),
]
System = Annotated[
    str,
    typer.Option(
        help="The system whose ids the file holds, the same for files that share customers; default the "
        "tool that exported it (shopify, stripe, paypal, square, hubspot, salesforce, zendesk, mailchimp, "
        "woocommerce), else import."
    ),
]
Currency = Annotated[str, typer.Option(help="Currency of amounts without one; default the installation's.")]
Decimal = Annotated[
    str, typer.Option(help="What separates decimals, '.' or ',', where the file does not tell.")
]
Department = Annotated[str, typer.Option(help="The department that promised the orders; default delivery.")]
DateFormat = Annotated[
    str, typer.Option(help="How dates are written when not as 2026-03-02: '%m/%d/%Y %H:%M', DD.MM.YYYY.")
]
TimeZone = Annotated[
    str,
    typer.Option(help="Where times without a zone are meant and days are days: Europe/Berlin; default UTC."),
]
Country = Annotated[
    str, typer.Option(help="Country of rows that do not say, to read local phone numbers: DE or Germany.")
]
DayOne = Annotated[str, typer.Option(help="Which day 1 is, where dates are numbers of days: 2017-01-01.")]
Encoding = Annotated[str, typer.Option(help="Encoding of text, where it cannot be told: cp1252.")]
HeaderRow = Annotated[
    int | None,
    typer.Option(
        min=0, help="The line that names the columns, 0 for none; default the first with known names."
    ),
]
Sheet = Annotated[str, typer.Option(help="The sheet of a workbook; default the first with known columns.")]
ErrorsFile = Annotated[
    Path | None,
    typer.Option(
        help="Where refused rows go; default FILE.errors.csv, of a dry run FILE.dry-run.csv, numbered if "
        "there is another."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check every row, say what an import would do, and import none.")
]
Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        help="Of a file of refused rows: those refused as ALREADY_IMPORTED or NAME_DIFFERS are right.",
    ),
]
Only = Annotated[
    Who | None, typer.Option(help="Of customers: those alone who are not known before, or who are.")
]
Profile = Annotated[
    str, typer.Option(metavar="NAME", help="Read it as one before was, by what was kept under a name.")
]
SaveProfile = Annotated[
    str,
    typer.Option(metavar="NAME", help="Keep how it was read, also in a dry run, under a name such as till."),
]
Importer = Annotated[
    str, typer.Option("--as", metavar="ROLE:NAME", help="Who imports: whom the history names.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@app.command("import", help=_HELP)
def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the rows are.")],
    file: SourceFile,
    mapping: Mapping = None,
    ignore: Ignore = None,
    constants: Constants = None,
    system: System = "",
    currency: Currency = "",
    decimal: Decimal = "",
    department: Department = "",
    date_format: DateFormat = "",
    time_zone: TimeZone = "",
    country: Country = "",
    day_one: DayOne = "",
    encoding: Encoding = "",
    header_row: HeaderRow = None,
    sheet: Sheet = "",
    errors: ErrorsFile = None,
    dry_run: DryRun = False,
    confirm: Confirm = False,
    only: Only = None,
    profile: Profile = "",
    save_profile: SaveProfile = "",
    who: Importer = "agent:demo",
    as_json: AsJson = False,
) -> None:
    """Import a file: see `_HELP`."""
    apart = ("as_json", "who", "profile", "save_profile")
    given = {name: value for name, value in locals().items() if name not in (*apart, "apart")}
    given["only"] = only.value if only else ""
    from rapport_imports.decoding import UnreadableFile
    from rapport_imports.result import Result
    from rapport_tools.cli.import_profiles import keep_profile, profiled

    result = Result()
    try:
        wanted = Wanted(**given)
        if profile:
            wanted = profiled(wanted, profile, who)
        asyncio.run(run(wanted, result, who=who, show_progress=not as_json))
        if save_profile:
            result.notes.append(keep_profile(wanted, result, save_profile, who))
    except UnreadableFile as error:
        raise Failure(str(error), Exit.WRONG_USE) from error
    except BaseException:
        if result.rows:  # what was done is not hidden by what went wrong then
            result.notes.append(f"stopped after {counted(result.rows, 'row')}: run it again to go on")
            _show(result, file.name, dry_run=dry_run, as_json=as_json)
        raise
    _show(result, file.name, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(Exit.REFUSED if result.refused else Exit.DONE)


def _show(result: Any, name: str, *, dry_run: bool, as_json: bool) -> None:
    from rapport_tools.cli.import_telling import tell

    if as_json:
        write_json(asdict(result))
    else:
        tell(result, name, dry_run=dry_run)


async def run(wanted: Wanted, result: Any, *, who: str = "agent:demo", show_progress: bool) -> None:
    """Import a file into the running stack. UnreadableFile, Failure, grpc.RpcError."""
    from rapport_imports import importing

    def tell(text: str) -> None:
        if show_progress:
            say(line(text), err=True)

    def connect() -> Any:
        session = _session(wanted, who)
        return session.aio_channel if session else None

    with progressing(wanted.file.name, show=show_progress) as progress:
        try:
            await importing.run(
                wanted,
                result,
                installed=_currency(),
                connect=connect,
                say=tell,
                progress=progress,
            )
        except WrongOption as error:
            raise Failure(error.told, Exit.WRONG_USE) from error


def _session(wanted: Wanted, who: str) -> Session | None:
    """The way to the services; None when a dry run cannot ask them."""
    try:
        return Session.open(who)
    except Failure:
        if not wanted.dry_run:
            raise
        return None


def _currency() -> str:
    """As the stack was started, else as it would be; USD is the loyalty service's own default.

    Of a cluster only whoever imports can say it: what a stack here counts in is another's.
    """
    if cluster.is_meant():
        return os.environ.get("RAPPORT_CURRENCY", "")
    return ({"RAPPORT_CURRENCY": "USD"} | dict(os.environ) | Home.current().read_env())["RAPPORT_CURRENCY"]


@contextmanager
def progressing(name: str, *, show: bool) -> Iterator[Callable[..., None]]:
    """A bar that is told how many rows are done, of how many if that is known, and what; on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=Terminal(stderr=True), disable=not (show and sys.stderr.isatty())
    ) as progress:
        task = progress.add_task(name, total=None)

        def tell(done: int, total: int | None, doing: str = "") -> None:
            called = f"{name}: {doing}" if doing else name
            progress.update(task, description=called, completed=done, total=total)

        yield tell
