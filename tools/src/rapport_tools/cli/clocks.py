"""`rapport clocks reconcile`: clocks that are not as they should be."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import uuid4

import typer

from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.clock_service_pb2_grpc import ClockServiceStub
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer(
    name="clocks",
    no_args_is_help=True,
    help="Look after the clocks of cases, work items and promises.",
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what is wrong, and mend nothing.")]


@app.callback()
def _clocks() -> None:
    """A group, though it has one command."""


@app.command()
def reconcile(dry_run: DryRun = False, as_json: bool = AsJson) -> None:
    """Compare every clock that is neither done nor late with what it should be, and mend what is wrong.

    The cases service does so by itself, every six hours.
    """
    checked, found = 0, []
    for page in _pages(Session.open().stub(ClockServiceStub, "cases"), dry_run):
        checked += page.checked_count
        found += [_row(each) for each in page.findings]
    if as_json:
        write_json({"checked": checked, "findings": found})
        return
    for row in found:
        about = row["promise"] or row["workItem"] or row["case"]
        say(f"{row['flaw']}  {row['clock'] or 'a clock'}  of {about}")
    said = "wrong" if dry_run else "wrong, and mended"
    say(f"{checked:,} looked at, {len(found):,} {said}.")


def _pages(clocks: ClockServiceStub, dry_run: bool) -> Iterator[pb.ReconcileClocksResponse]:
    token = None
    while token != "":
        asked = pb.ReconcileClocksRequest(
            page_token=token or "", validate_only=dry_run, request_id=str(uuid4())
        )
        page: pb.ReconcileClocksResponse = clocks.ReconcileClocks(asked)
        yield page
        token = page.next_page_token


def _row(finding: Any) -> dict[str, str]:
    flaw = pb.ReconcileClocksResponse.Flaw.Name(finding.flaw).removeprefix("FLAW_")
    return {
        "flaw": flaw.lower().replace("_", "-"),
        "clock": finding.clock,
        "case": finding.case,
        "workItem": finding.work_item,
        "promise": finding.promise,
    }
