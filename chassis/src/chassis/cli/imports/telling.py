"""What an import did, in words."""

from collections.abc import Sequence

import typer

from chassis.cli.imports.result import Remark, Result

GROUPS_SHOWN = 5


def tell(result: Result, name: str, *, dry_run: bool) -> None:
    """Say which columns were used, what became of the rows, and what is to be known of them."""
    rate = result.rows / result.seconds if result.seconds else 0
    typer.echo(f"{name}: {result.rows:,} rows read in {result.seconds:.1f} s ({rate:,.0f} rows/s)")
    typer.echo(f"  ids of: {result.system}")
    typer.echo(f"  used: {' · '.join(f'{field} = {column}' for field, column in result.used.items())}")
    typer.echo(f"  ignored: {' · '.join(result.ignored) or 'no column'}")
    counts = {"skipped": result.skipped, "refused": result.refused}
    if result.asked:
        counts = {
            "new": result.created,
            "known already": result.known,
            "corrected": result.corrected,
            "renamed": result.renamed,
        } | counts
    shown = [
        f"{what} {count:,}" for what, count in counts.items() if count or what in ("new", "known already")
    ]
    typer.echo(f"  {' · '.join(shown) if shown else 'nothing is wrong'}")
    if dry_run:
        unasked = "" if result.asked else "; what only the services know is not checked"
        typer.echo(f"  checked only: nothing is imported{unasked}")
    else:
        typer.echo("  run it again, and nothing doubles")
    for note in result.notes:
        typer.echo(f"  {note}", err=True)
    _tell_remarks(result.told)
    if result.refused:
        typer.echo(f"  refused {result.refused:,} rows:", err=True)
        _tell_remarks(result.refusals)
    if result.errors_file:
        typer.echo(f"  every refused row, with reasons: {result.errors_file}", err=True)


def _tell_remarks(remarks: Sequence[Remark]) -> None:
    """What is said of most rows, each with the first of them, by its line."""
    most = sorted(remarks, key=lambda remark: -remark.count)
    for remark in most[:GROUPS_SHOWN]:
        column = f" in {remark.column}" if remark.column else ""
        about = f"{remark.count:,} x {remark.reason}{column}, as in line {remark.lines[0]}"
        typer.echo(f"    {about}: {remark.description}", err=True)
    if rest := most[GROUPS_SHOWN:]:
        rows = sum(remark.count for remark in rest)
        typer.echo(f"    {rows:,} x for {len(rest):,} more reasons: --json has them all", err=True)
