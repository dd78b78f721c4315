"""An import, from its file to its result: for whoever has a file and a way to the services."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import grpc

from chassis.backoff import Backoff
from chassis.errors import Refusal
from chassis.grpc.status import is_passing, refusal
from chassis.money import Currency
from chassis.names import CODE
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from rapport_imports import own, tabular
from rapport_imports.consents import ConsentImporter
from rapport_imports.customers import CustomerImporter
from rapport_imports.dates import format_of
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import Run
from rapport_imports.fields import Notation
from rapport_imports.orders import OrderImporter
from rapport_imports.people import Channels, Customers
from rapport_imports.places import country
from rapport_imports.purchases import PurchaseImporter
from rapport_imports.reading import Reading, as_before, obeyed
from rapport_imports.result import Progress, Result
from rapport_imports.tools import system_of
from rapport_imports.wanted import Kind, Wanted, WrongOption

DEPARTMENT = "delivery"
PATIENCE_S = 180.0
LATE_S = 5.0
WAITS = Backoff(0.5, 10.0)


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
    mapping = dict(pair("map", text) for text in wanted.mapping or ())
    constants = dict(pair("set", text) for text in wanted.constants or ())
    table = opened(wanted, mapping)
    wanted = _completed(wanted, table)
    result.kind, result.system, result.department = wanted.kind.value, wanted.system, wanted.department
    if table.mended:
        result.notes.append(obeyed(wanted, table.before))
        say(result.notes[0])  # whoever made the file decides it
    notation = _as_written(_notation(wanted, installed), table, constants)
    open_channel = connect()
    result.asked = open_channel is not None
    async with opened_channels(open_channel, say) as channel:
        started = time.monotonic()
        importer = _importer(wanted, table, channel, offline=open_channel is None)
        try:
            going = Run(
                table=table,
                importer=importer,
                mapping=mapping,
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


def opened(wanted: Wanted, mapping: Mapping[str, str]) -> tabular.Table:
    """The file as a table of rows of the kind that is wanted. UnreadableFile, WrongOption."""
    table = tabular.open_table(
        wanted.file,
        encoding=wanted.encoding,
        header_row=wanted.header_row,
        sheet=wanted.sheet,
        named=[*mapping.values(), *(wanted.ignore or ())],
    )
    if wanted.confirm and not table.mended:
        raise WrongOption("confirm", "", f"{wanted.file.name} is no file of refused rows.")
    _require_kind(wanted, table)
    return replace(table, confirm=wanted.confirm)


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
    customers = channel("customer")
    if wanted.kind is Kind.CUSTOMERS:
        return CustomerImporter(
            customers, table, wanted.system, dry_run=wanted.dry_run, offline=offline, only=wanted.only
        )
    people = Customers(customers, wanted.system, dry_run=wanted.dry_run)
    if wanted.kind is Kind.PURCHASES:
        return PurchaseImporter(channel, people, exported=bool(table.own))
    if wanted.kind is Kind.CONSENTS:
        return ConsentImporter(channel, people)
    return OrderImporter(channel, people, wanted.department)


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


def _as_written(notation: Notation, table: tabular.Table, constants: Mapping[str, str]) -> Notation:
    """The same, with what a file of refused rows, or an export of ours, decides by itself."""
    exact = bool(table.own)
    saved_anew = table.delimiter in (";", "\t")  # by a spreadsheet, with the decimals of its country
    decimal = notation.decimal or ("." if exact and not saved_anew else "")
    said = {**table.before.constants, **constants}
    return replace(notation, first=table.before.first, exact=exact, decimal=decimal, constants=said)


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


@asynccontextmanager
async def opened_channels(
    open_channel: Channels | None, say: Callable[[str], None]
) -> AsyncIterator[Channels]:
    """Channels by service, closed at the end. Where none can be opened they lead nowhere and are not used."""
    async with AsyncExitStack() as stack:
        opened: dict[str, Any] = {}

        def channel(service: str) -> Any:
            if service not in opened:
                found = open_channel(service) if open_channel else grpc.aio.insecure_channel("localhost:1")
                stack.push_async_exit(found)
                opened[service] = Patient(found, service, say)
            return opened[service]

        yield channel


def pair(option: str, text: str) -> tuple[str, str]:
    field, separator, said = text.partition("=")
    if not separator:
        raise WrongOption(option, text, f"must be FIELD={'COLUMN' if option == 'map' else 'VALUE'}")
    return field.strip(), said.strip()


@dataclass(eq=False)
class Patient:
    """What a stub needs of a channel, for calls that do no harm when they are made again, as all of imports.

    Each has a request id, says by its rows what was done already, or only reads. `say` is told that the
    service does not answer, once in the time that a call is made again.
    """

    channel: grpc.aio.Channel
    service: str
    say: Callable[[str], None]
    _quiet_until: float = 0.0

    def unary_unary(self, *method: Any, **further: Any) -> Callable[[Any], Awaitable[Any]]:
        ask = self.channel.unary_unary(*method, **further)

        async def call(request: Any) -> Any:
            until = time.monotonic() + PATIENCE_S
            late = asyncio.get_running_loop().call_later(LATE_S, self._tell)
            try:
                for failures in itertools.count(1):
                    try:
                        return await ask(request)
                    except grpc.aio.AioRpcError as error:
                        peers = refusal(error)
                        wait_s = peers.retry_after_s + WAITS.wait(failures)
                        if not passes(peers) or time.monotonic() + wait_s > until:
                            raise
                    self._tell()
                    await asyncio.sleep(wait_s)
            finally:
                late.cancel()

        return call

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + PATIENCE_S
            self.say(
                f"the {self.service} service does not answer, trying again: for {PATIENCE_S / 60:.0f} "
                "minutes at most; Ctrl-C stops, and another run goes on"
            )


def passes(peers: Refusal) -> bool:
    return is_passing(peers) or peers.code == "DEADLINE_EXCEEDED" or peers.reason == "OVERLOADED"
