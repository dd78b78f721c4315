"""`rapport import customers|purchases|orders FILE`."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from rapport_imports.wording import line
from rapport_tools.cli import import_options as options
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer()
DEPARTMENT = "delivery"
_HELP = """Import a file, each line of it once: run it again after an interruption, and nothing doubles.

It says which columns it used and which it ignored. --map FIELD=COLUMN names others; the fields are

customers: external_id, display_name, given_name, additional_name, family_name, honorific_prefix,
honorific_suffix, organization_name, birth_date, email, phone, fax, account_number, country, language,
time_zone, and of an address street, street_2, house_number, postal_code, city, state; home_, work_, billing_
and shipping_ before these, and before country, are of further addresses.

purchases: customer (an id or e-mail address), email, date, amount, refunded, currency, quantity, reference,
status.

orders: customer (as above), email, order_id, order_date, promised_date, delivered_date.

Refused rows are written to a file of their own with the reason; mend them there and import that file: each
counts as the line that it was, and is read as it was, unless options say otherwise.
"""


class Kind(StrEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    PURCHASES = "purchases"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for: the options of `import_file`, which says what each is."""

    kind: Kind
    file: Path
    mapping: Sequence[str] | None = None
    system: str = ""
    currency: str = ""
    decimal: str = ""
    department: str = ""
    date_format: str = ""
    time_zone: str = ""
    country: str = ""
    encoding: str = ""
    header_row: int = 1
    sheet: str = ""
    errors: Path | None = None
    dry_run: bool = False
    confirm: bool = False
    who: str = "agent:demo"


@app.command("import", help=_HELP)
def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the rows are.")],
    file: options.SourceFile,
    mapping: options.Mapping = None,
    system: options.System = "",
    currency: options.Currency = "",
    decimal: options.Decimal = "",
    department: options.Department = "",
    date_format: options.DateFormat = "",
    time_zone: options.TimeZone = "",
    country: options.Country = "",
    encoding: options.Encoding = "",
    header_row: options.HeaderRow = 1,
    sheet: options.Sheet = "",
    errors: options.ErrorsFile = None,
    dry_run: options.DryRun = False,
    confirm: options.Confirm = False,
    who: options.Importer = "agent:demo",
    as_json: options.AsJson = False,
) -> None:
    """Import a file: see `_HELP`."""
    given = {name: value for name, value in locals().items() if name != "as_json"}
    from rapport_imports.decoding import UnreadableFile
    from rapport_imports.result import Result

    result = Result()
    try:
        asyncio.run(run(Wanted(**given), result, show_progress=not as_json))
    except UnreadableFile as error:
        raise Failure(str(error), Exit.WRONG_USE) from error
    except BaseException:
        if result.rows:  # what was done is not hidden by what went wrong then
            result.notes.append("stopped before the end: run it again to go on")
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


async def run(wanted: Wanted, result: Any, *, show_progress: bool) -> None:
    """Import a file. UnreadableFile when it cannot be, grpc.RpcError when a service refuses or is down."""
    from rapport_imports import tabular
    from rapport_imports.customers import CustomerImporter
    from rapport_imports.engine import Run
    from rapport_imports.orders import OrderImporter
    from rapport_imports.people import Customers
    from rapport_imports.purchases import PurchaseImporter
    from rapport_imports.reading import Reading, obeyed

    mapping = dict(_pair(text) for text in wanted.mapping or ())
    table = tabular.open_table(
        wanted.file, encoding=wanted.encoding, header_row=wanted.header_row, sheet=wanted.sheet
    )
    if wanted.confirm and not table.mended:
        raise Failure(f"--confirm: {wanted.file.name} is no file of refused rows.", Exit.WRONG_USE)
    table = replace(table, confirm=wanted.confirm)
    wanted = _completed(wanted, table)
    system = result.system = wanted.system
    result.kind, result.department = wanted.kind.value, wanted.department
    if table.mended:
        result.notes.append(obeyed(wanted, table.before))
        if show_progress:  # before anything is done, too: whoever made the file decides it
            say(line(result.notes[0]), err=True)
    reading = {"encoding": table.encoding.name, "sheet": table.sheet}
    notation = replace(_notation(wanted), first=table.before.first)
    reading["country"] = notation.country
    session = _session(wanted, result)
    async with _channels(session) as channel:
        importers: dict[Kind, Callable[[], Any]] = {
            Kind.CUSTOMERS: lambda: CustomerImporter(
                channel("customer"), table, system, reading, dry_run=wanted.dry_run
            ),
            Kind.PURCHASES: lambda: PurchaseImporter(channel, customers()),
            Kind.ORDERS: lambda: OrderImporter(channel, customers(), wanted.department),
        }

        def customers() -> Customers:
            return Customers(channel("customer"), system, dry_run=wanted.dry_run)

        started = time.monotonic()
        with _progress(wanted.file.name, show_progress) as progress:
            importer = importers[wanted.kind]()
            try:
                going = Run(
                    table=table,
                    importer=importer,
                    mapping=mapping,
                    notation=notation,
                    offline=session is None,
                    progress=progress,
                    result=result,
                    one_currency=bool(wanted.currency),
                    reading=Reading(
                        kind=wanted.kind.value,
                        system=system,
                        department=wanted.department,
                        date_format=notation.date_format,
                        time_zone=notation.zone.key,
                        country=notation.country,
                    ),
                )
                what = "dry-run" if wanted.dry_run else "errors"
                await going.run(wanted.errors or wanted.file.with_name(f"{wanted.file.name}.{what}.csv"))
            finally:
                result.seconds = round(time.monotonic() - started, 3)


def _completed(wanted: Wanted, table: Any) -> Wanted:
    """What the command line leaves open: as it was when refused rows were refused, else the usual."""
    from chassis.names import CODE
    from rapport_imports.reading import as_before
    from rapport_imports.tools import system_of

    if wanted.department and wanted.kind is not Kind.ORDERS:
        raise Failure(
            f"--department: is who promised orders, and {wanted.kind.value} have none: leave it out",
            Exit.WRONG_USE,
        )
    wanted = as_before(wanted, table.before)
    system = wanted.system.casefold() or system_of(table.header)
    if not re.fullmatch(CODE, system):
        allowed = "must be lower-case letters, digits and dashes, at most 63, such as web-shop"
        raise Failure(f"--system {wanted.system}: {allowed}", Exit.WRONG_USE)
    return replace(
        wanted,
        system=system,
        department=wanted.department or (DEPARTMENT if wanted.kind is Kind.ORDERS else ""),
    )


def _session(wanted: Wanted, result: Any) -> Session | None:
    """The way to the services; None when a dry run has nothing to ask them, or cannot."""
    if wanted.dry_run and wanted.kind is Kind.CUSTOMERS:
        result.asked = False
        return None
    try:
        return Session.open(wanted.who)
    except Failure:
        if not wanted.dry_run:
            raise
        result.asked = False
        return None


def _notation(wanted: Wanted) -> Any:
    """How the file writes things, as far as the command line and the installation say."""
    from chassis.api.currencies import Currency
    from chassis.api.zones import NOT_A_TIME_ZONE, time_zone
    from rapport_imports.dates import format_of
    from rapport_imports.fields import Notation, country
    from rapport_tools.local.home import Home

    # As the stack was started, else as it would be; USD is the loyalty service's own default.
    known = {"RAPPORT_CURRENCY": "USD"} | dict(os.environ) | Home.current().read_env()
    installed = known["RAPPORT_CURRENCY"]
    if wanted.currency and wanted.currency.upper() != installed:
        raise Failure(
            f"--currency {wanted.currency}: must be {installed}, the currency of this installation "
            "(RAPPORT_CURRENCY)",
            Exit.WRONG_USE,
        )
    if wanted.decimal not in ("", ".", ","):
        raise Failure(f"--decimal {wanted.decimal}: must be . or ,", Exit.WRONG_USE)
    region = country(wanted.country) if wanted.country else ""
    if wanted.country and not region:
        raise Failure(f"--country {wanted.country}: must be a country such as DE or Germany", Exit.WRONG_USE)
    zone = time_zone(wanted.time_zone or "UTC")
    if zone is None:
        raise Failure(f"--time-zone {wanted.time_zone}: {NOT_A_TIME_ZONE}", Exit.WRONG_USE)
    dates_as = format_of(wanted.date_format) if wanted.date_format else ""
    return Notation(Currency.of(installed), wanted.decimal, dates_as, country=region, zone=zone)


@asynccontextmanager
async def _channels(session: Session | None) -> AsyncIterator[Callable[[str], grpc.aio.Channel]]:
    """Channels by service, closed at the end. Without a session they lead nowhere, and are not used."""
    async with AsyncExitStack() as stack:
        opened: dict[str, grpc.aio.Channel] = {}

        def channel(service: str) -> grpc.aio.Channel:
            if service not in opened:
                opened[service] = (
                    session.aio_channel(service) if session else grpc.aio.insecure_channel("localhost:1")
                )
                stack.push_async_exit(opened[service])
            return opened[service]

        yield channel


@contextmanager
def _progress(name: str, show: bool) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from rapport_tools.cli.terminal import Terminal

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=Terminal(stderr=True), disable=not (show and sys.stderr.isatty())
    ) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _pair(text: str) -> tuple[str, str]:
    field, separator, column = text.partition("=")
    if not separator:
        raise Failure(f"--map {text}: must be FIELD=COLUMN", Exit.WRONG_USE)
    return field.strip(), column.strip()
