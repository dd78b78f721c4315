"""What an import did, in words."""

import typer

from chassis.cli.imports.engine import Result


def tell(result: Result, name: str, *, dry_run: bool) -> None:
    """Say which columns were used, what became of the rows, and what is to be known of them."""
    rate = result.rows / result.seconds if result.seconds else 0
    typer.echo(f"{name}: {result.rows:,} rows read in {result.seconds:.1f} s ({rate:,.0f} rows/s)")
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
    for told in result.told:
        lines = ", ".join(map(str, told.lines)) + (", ..." if told.count > len(told.lines) else "")
        typer.echo(f"  {told.reason}, {told.count:,} x (line {lines}): {told.description}", err=True)
    if result.errors_file:
        typer.echo(f"  {result.refused:,} refused rows, with reasons: {result.errors_file}", err=True)
