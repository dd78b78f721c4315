"""An import, from its file to its result: for whoever has a file and a way to the services."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis.money import Currency
from chassis.names import CODE
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from rapport_imports import own, tabular
from rapport_imports.consents import ConsentImporter
from rapport_imports.customers import CustomerImporter
from rapport_imports.dates import format_of
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import Run
from rapport_imports.notation import Notation
from rapport_imports.orders import OrderImporter
from rapport_imports.patience import opened_channels
from rapport_imports.people import Channels, Customers
from rapport_imports.places import country
from rapport_imports.purchases import PurchaseImporter
from rapport_imports.reading import Reading, as_before, obeyed
from rapport_imports.result import Progress, Result
from rapport_imports.tools import system_of
from rapport_imports.wanted import Kind, Wanted, WrongOption

DEPARTMENT = "delivery"
IMPORTERS: Mapping[Kind, Any] = {
    Kind.CUSTOMERS: CustomerImporter,
    Kind.PURCHASES: PurchaseImporter,
    Kind.ORDERS: OrderImporter,
    Kind.CONSENTS: ConsentImporter,
}


async def run(
    wanted: Wanted,
    result: Result,
    *,
    installed: str,
    connect: Callable[[], Channels | None],
    say: Callable[[str], None],
    progress: Progress,
) -> None:
    """Import a file.

    Args:
        wanted: what is asked for.
        result: is filled as the import goes on, so that it says what was done when it is stopped.
        installed: the currency of the installation; "" when that is not known.
        connect: asked once the file can be read: what opens a channel to a service, with the identity of
            whoever imports; None to check without the services.
        say: is told, before anything is done, what a file of refused rows decides by itself; and when a
            service does not answer for a while.
        progress: is told how many rows are done, and of how many: of customers first how many are read.

    Raises:
        UnreadableFile: it cannot be imported.
        WrongOption: not with what is wanted.
        grpc.RpcError: a service refuses or is down.
    """
    table = opened(wanted)
    require_needed(wanted, table)
    wanted = _completed(wanted, table)
    result.kind, result.system, result.department = wanted.kind.value, wanted.system, wanted.department
    if table.mended:
        result.notes.append(obeyed(wanted, table.before))
        say(result.notes[0])  # whoever made the file decides it
    notation = _as_written(_notation(wanted, installed), table, wanted)
    open_channel = connect()
    result.asked = open_channel is not None
    async with opened_channels(open_channel, say) as channel:
        started = time.monotonic()
        importer = _importer(wanted, table, channel, offline=open_channel is None)
        try:
            going = Run(
                table=table,
                importer=importer,
                mapping=wanted.mapped,
                notation=notation,
                offline=open_channel is None,
                progress=_read_of(wanted, importer, progress),
                result=result,
                ignore=wanted.ignore or (),
                reading=_reading(wanted, notation),
            )
            what = "dry-run" if wanted.dry_run else "errors"
            await going.run(wanted.errors or wanted.file.with_name(f"{wanted.file.name}.{what}.csv"))
        finally:
            result.seconds = round(time.monotonic() - started, 3)


def opened(wanted: Wanted) -> tabular.Table:
    """The file as a table of rows of the kind that is wanted. UnreadableFile, WrongOption."""
    table = tabular.open_table(
        wanted.file,
        encoding=wanted.encoding,
        header_row=wanted.header_row,
        sheet=wanted.sheet,
        named=[*wanted.mapped.values(), *wanted.needed.values(), *(wanted.ignore or ())],
    )
    if wanted.confirm and not table.mended:
        raise WrongOption("confirm", "", f"{wanted.file.name} is no file of refused rows.")
    _require_kind(wanted, table)
    return replace(table, confirm=wanted.confirm)


def require_needed(wanted: Wanted, table: tabular.Table) -> None:
    """UnreadableFile for one that lacks a column that the profile reads."""
    if missing := [column for column in wanted.needed.values() if column not in table.header]:
        raise UnreadableFile(
            f"{wanted.file.name} has no {' and no '.join(missing)}, which the profile {wanted.profile} "
            f"reads; its columns are {', '.join(table.header)}: say with "
            "--map FIELD=COLUMN which of them holds it"
        )


def _read_of(wanted: Wanted, importer: Any, progress: Progress) -> Callable[[int, int], object]:
    """What is told of rows that are read, which customers are before any is applied."""
    if wanted.kind is not Kind.CUSTOMERS:
        return progress
    importer.job.progress = progress
    return lambda done, total: progress(done, total, "read")


def _reading(wanted: Wanted, notation: Notation) -> Reading:
    """What decides what a row means, as far as it is known before the file is read."""
    return Reading(
        kind=wanted.kind.value,
        system=wanted.system,
        department=wanted.department,
        date_format=notation.date_format,
        time_zone=notation.zone.key,
        country=notation.country,
        currency=wanted.currency,
        day_one=wanted.day_one,
        constants=dict(notation.constants),
    )


def _importer(wanted: Wanted, table: tabular.Table, channel: Channels, *, offline: bool) -> Any:
    importer, customers = IMPORTERS[wanted.kind], channel("customer")
    if wanted.kind is Kind.CUSTOMERS:
        return importer(
            customers, table, wanted.system, dry_run=wanted.dry_run, offline=offline, only=wanted.only
        )
    further: Mapping[Kind, Any] = {
        Kind.PURCHASES: {"exported": bool(table.own)},
        Kind.ORDERS: {"department": wanted.department},
    }
    people = Customers(customers, wanted.system, dry_run=wanted.dry_run)
    return importer(channel, people, **further.get(wanted.kind, {}))


def _require_kind(wanted: Wanted, table: tabular.Table) -> None:
    """UnreadableFile for an export of ours that holds something else."""
    if table.own in ("", wanted.kind.value):
        return
    taken = f"import it as {table.own}" if table.own in own.IMPORTED else "which no import takes"
    raise UnreadableFile(f"{wanted.file.name} holds {table.own} that Rapport exported: {taken}")


def _completed(wanted: Wanted, table: Any) -> Wanted:
    """What the command line leaves open: as it was when refused rows were refused, else the usual."""
    if wanted.department and wanted.kind is not Kind.ORDERS:
        none = f"is who promised orders, and {wanted.kind.value} have none: leave it out"
        raise WrongOption("department", "", none)
    if wanted.only and wanted.kind is not Kind.CUSTOMERS:
        raise WrongOption("only", wanted.only, "is of customers alone")
    wanted = as_before(wanted, table.before)
    system = wanted.system.casefold() or (own.SYSTEM if table.own else system_of(table.header))
    if table.own and system != own.SYSTEM:
        raise WrongOption(
            "system", wanted.system, f"ids in an export of Rapport are of {own.SYSTEM}: leave it out"
        )
    if not re.fullmatch(CODE, system):
        allowed = "must be lower-case letters, digits and dashes, at most 63, such as web-shop"
        raise WrongOption("system", wanted.system, f"{allowed}")
    return replace(
        wanted,
        system=system,
        department=wanted.department or (DEPARTMENT if wanted.kind is Kind.ORDERS else ""),
    )


def _as_written(notation: Notation, table: tabular.Table, wanted: Wanted) -> Notation:
    """The same, with what a file of refused rows, or an export of ours, decides by itself."""
    exact = bool(table.own)
    saved_anew = table.delimiter in (";", "\t")  # by a spreadsheet, with the decimals of its country
    decimal = notation.decimal or ("." if exact and not saved_anew else "")
    said, first = {**table.before.constants, **wanted.fixed}, wanted.first or table.before.first
    return replace(notation, first=first, exact=exact, decimal=decimal, constants=said)


def _notation(wanted: Wanted, installed: str) -> Notation:
    """How the file writes things, as far as whoever imports it and the installation say."""
    code = wanted.currency.upper() or installed
    if not code and wanted.kind is Kind.PURCHASES:
        unknown = "must say what amounts without a currency are in: nothing else here does"
        raise WrongOption("currency", "", unknown)
    try:
        currency = Currency.of(code or "USD")  # rows of other kinds have no amounts
    except ValueError as error:
        raise WrongOption("currency", wanted.currency, str(error)) from None
    if wanted.decimal not in ("", ".", ","):
        raise WrongOption("decimal", wanted.decimal, "must be . or ,")
    region = country(wanted.country) if wanted.country else ""
    if wanted.country and not region:
        raise WrongOption("country", wanted.country, "must be a country such as DE or Germany")
    zone = time_zone(wanted.time_zone or "UTC")
    if zone is None:
        raise WrongOption("time_zone", wanted.time_zone, f"{NOT_A_TIME_ZONE}")
    dates_as = format_of(wanted.date_format) if wanted.date_format else ""
    try:
        day_one = date.fromisoformat(wanted.day_one) if wanted.day_one else None
    except ValueError:
        raise WrongOption("day_one", wanted.day_one, "must be a date such as 2017-01-01") from None
    return Notation(
        currency,
        wanted.decimal,
        dates_as,
        country=region,
        zone=zone,
        day_one=day_one,
    )
