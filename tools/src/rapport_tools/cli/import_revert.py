"""`rapport import revert JOB`."""

import time
from typing import Any

from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.import_service_pb2 import (
    GetImportJobRequest,
    ListImportFindingsRequest,
    RevertImportJobRequest,
)
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub
from rapport_imports.wording import counted, line
from rapport_tools.cli.output import say, write_json
from rapport_tools.cli.session import Session

KEPT = frozenset({"CHANGED_SINCE", "CUSTOMER_IN_USE"})
SHOWN = 20


def revert(job: str, *, who: str, as_json: bool) -> int:
    """Take back an import of customers, and say what is kept and why. Returns how many rows are."""
    name = job if job.startswith("importJobs/") else f"importJobs/{job}"
    jobs: Any = Session.open(who).stub(ImportServiceStub, "customer")
    taken = jobs.RevertImportJob(RevertImportJobRequest(name=name))
    while taken.state == ImportJob.STATE_REVERTING:
        time.sleep(0.2)
        taken = jobs.GetImportJob(GetImportJobRequest(name=name))
    kept = [
        {"line": each.line, "reason": each.reason, "field": each.field, "description": each.description}
        for each in _findings(jobs, name)
        if each.reason in KEPT
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
    return int(taken.kept_count)


def _findings(jobs: Any, name: str) -> Any:
    request = ListImportFindingsRequest(parent=name, page_size=1000)
    while True:
        page = jobs.ListImportFindings(request)
        yield from page.import_findings
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
