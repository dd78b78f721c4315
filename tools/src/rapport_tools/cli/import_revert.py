"""`rapport revert-import JOB`."""

import time
from typing import Annotated, Any

import typer

from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.import_service_pb2 import (
    GetImportJobRequest,
    ListImportFindingsRequest,
    RevertImportJobRequest,
)
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub
from rapport_imports.wording import counted, line
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.session import Session, pages

app = typer.Typer()
KEPT = "reason = CHANGED_SINCE OR reason = CUSTOMER_IN_USE"
SHOWN = 20


@app.command("revert-import")
def revert(
    job: Annotated[str, typer.Argument(help="The import of customers, by the name that it printed.")],
    who: Annotated[
        str, typer.Option("--as", metavar="ROLE:NAME", help="Who takes it back: whom the history names.")
    ] = "agent:demo",
    as_json: bool = AsJson,
) -> None:
    """Take back an import of customers, and say what is kept and why.

    It begins once it is known that no facts of other services are on their way: `rapport doctor` names a
    service that is silent. The exit code is 1 when something is kept.
    """
    name = job if job.startswith("importJobs/") else f"importJobs/{job}"
    jobs: Any = Session.open(who).stub(ImportServiceStub, "customer")
    taken = jobs.RevertImportJob(RevertImportJobRequest(name=name))
    while taken.state == ImportJob.STATE_REVERTING:
        time.sleep(0.2)
        taken = jobs.GetImportJob(GetImportJobRequest(name=name))
    asked = ListImportFindingsRequest(parent=name, page_size=1000, filter=KEPT)
    kept = [
        {"line": each.line, "reason": each.reason, "field": each.field, "description": each.description}
        for page in pages(jobs.ListImportFindings, asked)
        for each in page.import_findings
    ]
    if as_json:
        write_json(
            {"job": name, "reverted": taken.reverted_count, "kept": taken.kept_count, "findings": kept}
        )
    else:
        say(f"{name}: {counted(taken.reverted_count, 'row')} taken back, {taken.kept_count:,} kept")
        for each in kept[:SHOWN]:
            say(line(f"  line {each['line']}: {each['reason']} {each['field']}: {each['description']}"))
        if len(kept) > SHOWN:
            say(f"  {len(kept) - SHOWN:,} more: --json has them all")
    raise typer.Exit(Exit.REFUSED if taken.kept_count else Exit.DONE)
