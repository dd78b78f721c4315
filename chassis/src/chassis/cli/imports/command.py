"""`rapport import customers|purchases|orders FILE`."""

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from chassis.cli.failures import Exit, Failure
from chassis.cli.output import write_json
from chassis.cli.session import Session

app = typer.Typer()


class Kind(StrEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    PURCHASES = "purchases"
    ORDERS = "orders"


@app.command("import")
def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the rows are.")],
    file: Annotated[Path, typer.Argument(help="CSV (also .gz) or XLSX; the first row names the columns.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=COLUMN, where the name of a column does not tell. Repeat."),
    ] = None,
    system: Annotated[
        str,
        typer.Option(help="The system whose ids the file holds; the same for files that share customers."),
    ] = "import",
    currency: Annotated[str, typer.Option(help="Currency of purchases without a currency column.")] = "USD",
    department: Annotated[str, typer.Option(help="The department that promised the orders.")] = "delivery",
    date_format: Annotated[
        str, typer.Option(help="How dates are written when not as 2026-03-02, e.g. '%m/%d/%Y %H:%M'.")
    ] = "",
    errors: Annotated[
        Path | None, typer.Option(help="Where refused rows go; default FILE.errors.csv.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and import none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Import a file, each line of it once: run it again after an interruption, or twice, and nothing doubles.

    Refused rows are written to a file of their own with the reason; mend them there and import that file.
    """
    from chassis.cli.imports.tabular import UnreadableFile

    errors_path = errors or file.with_name(f"{file.name}.errors.csv")
    try:
        fields = dict(_pair(text) for text in mapping or [])
        result = asyncio.run(
            run(
                kind,
                file,
                fields,
                errors_path,
                system,
                currency,
                department,
                date_format,
                dry_run,
                not as_json,
            )
        )
    except UnreadableFile as error:
        raise Failure(str(error), Exit.WRONG_USE) from error
    if as_json:
        write_json(dataclasses.asdict(result))
    else:
        _tell(result, dry_run)
    if result.refused:
        raise typer.Exit(Exit.REFUSED)


async def run(
    kind: Kind,
    file: Path,
    mapping: dict[str, str],
    errors_path: Path,
    system: str,
    currency: str,
    department: str,
    date_format: str,
    dry_run: bool,
    show_progress: bool,
) -> Any:
    """Import a file. UnreadableFile when it cannot be, grpc.RpcError when a service refuses or is down."""
    from chassis.cli.imports import tabular
    from chassis.cli.imports.customers import CustomerImporter
    from chassis.cli.imports.engine import Run
    from chassis.cli.imports.records import OrderImporter, PurchaseImporter

    source = tabular.identify(file)
    async with _channels(None if dry_run else Session.open()) as channel:
        importers: dict[Kind, Callable[[], Any]] = {
            Kind.CUSTOMERS: lambda: CustomerImporter(channel("customer"), source, system),
            Kind.PURCHASES: lambda: PurchaseImporter(channel, source, system, currency),
            Kind.ORDERS: lambda: OrderImporter(channel, source, system, department),
        }
        started = time.monotonic()
        with _progress(file.name, source.lines, show_progress) as advance:
            result = await Run(source, importers[kind](), mapping, date_format, dry_run, advance).run(
                errors_path
            )
        result.seconds = round(time.monotonic() - started, 3)
        return result


@asynccontextmanager
async def _channels(session: Session | None) -> AsyncIterator[Callable[[str], grpc.aio.Channel]]:
    """Channels by service, closed at the end. A dry run gets channels that lead nowhere, and uses none."""
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


def _progress(name: str, total: int, show: bool) -> Any:
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    @contextmanager
    def bar() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(
            *columns, console=Console(stderr=True), disable=not (show and sys.stderr.isatty())
        ) as progress:
            task = progress.add_task(name, total=total or None)
            yield lambda rows: progress.advance(task, rows)

    return bar()


def _tell(result: Any, dry_run: bool) -> None:
    rate = result.rows / result.seconds if result.seconds else 0
    verb = "checked" if dry_run else "imported"
    typer.echo(f"{result.rows:,} rows {verb} in {result.seconds:.1f} s ({rate:,.0f} rows/s)")
    if not dry_run:
        typer.echo(f"  new {result.created:,} · known already {result.known:,} · refused {result.refused:,}")
    if result.refused:
        typer.echo(f"  {result.refused:,} refused rows, with reasons: {result.errors_file}", err=True)


def _pair(text: str) -> tuple[str, str]:
    field, separator, column = text.partition("=")
    if not separator:
        raise Failure(f"--map {text}: must be FIELD=COLUMN", Exit.WRONG_USE)
    return field.strip(), column.strip()
