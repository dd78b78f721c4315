"""`rapport export customers|purchases|... -o FILE`: what the services have, in a file."""

import asyncio
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rapport_imports import own
from rapport_imports.wording import counted, line
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.import_file import progressing
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer()
Kind = StrEnum("Kind", {each.upper().replace("-", "_"): each for each in own.MARKS})  # type: ignore[misc]


class Format(StrEnum):
    """As `rapport_imports.exports.writing` has it, which is loaded when something is exported."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


@app.command("export")
def export_file(
    kind: Annotated[Kind, typer.Argument(help="What is to be exported.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file: .csv, .xlsx or .jsonl.")],
    format: Annotated[
        Format | None, typer.Option("--format", help="How it is written, where its name does not say.")
    ] = None,
    filter: Annotated[
        str, typer.Option("--filter", help="Which, as the method that lists them takes it (AIP-160).")
    ] = "",
    customers: Annotated[
        str,
        typer.Option(
            "--customers", help="Whose, of consents, timeline and attributes: a filter of customers."
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    who: Annotated[str, typer.Option("--as", metavar="ROLE:NAME", help="Who exports.")] = "agent:demo",
    as_json: bool = AsJson,
) -> None:
    """Write what the services have to a file: a row for each, oldest or newest first, as it is listed.

    Of purchases each line is a row. `rapport import` takes customers, purchases and consents back as they
    were, here or in another installation. What would be a formula in a spreadsheet is written so that it is
    none. An export that was interrupted goes on when it is run again, but for a workbook.
    """
    from rapport_imports.exports import running, writing
    from rapport_imports.wanted import WrongOption

    suffix = output.suffix.lower().removeprefix(".")
    if format is None and suffix not in {each.value for each in Format}:
        raise Failure(
            f"{output.name} must end in .csv, .xlsx or .jsonl, or --format say which.", Exit.WRONG_USE
        )
    if output.exists() and not force:
        raise Failure(f"There is {output} already: name another, or replace it with --force.")
    asked = running.Asked(kind.value, writing.Format(format or suffix), filter, customers)
    done = running.Done()
    try:
        with progressing(output.name, show=not as_json) as progress:
            asyncio.run(
                running.run(
                    asked,
                    output,
                    done,
                    connect=Session.open(who).aio_channel,
                    say=lambda text: say(line(text), err=True),
                    progress=progress,
                )
            )
    except WrongOption as error:
        raise Failure(error.told, Exit.WRONG_USE) from error
    except writing.Unwritable as error:
        raise Failure(str(error)) from error
    if as_json:
        write_json({"file": str(output), **asdict(done)})
        return
    say(f"{counted(done.rows, 'row')} written to {line(str(output))}, which only you can read.")
    if done.before:
        say(f"  gone on with: {counted(done.before, 'row')} were there before")
    if done.withheld:
        say(f"  left out, for you may not read customers: {', '.join(done.withheld)}", err=True)
