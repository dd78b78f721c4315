"""ImportService."""

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from chassis.api.checks import Rules
from chassis.api.customers import require_findable
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from customer.domain.identifiers import Draft
from customer.rpc.drafts import read_draft
from customer.rpc.names import IMPORT_JOB
from customer.store import imports as store
from customer.usecases import imports as usecases
from rapport.customer.v1 import import_service_pb2 as pb
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceServicer

# A thousand rows are applied in one transaction.
ROW_IDENTIFIERS_MAX = 20


def _batch(check: Check, request: pb.AppendImportRowsRequest, now: datetime) -> None:
    """Of rows only their lines refuse the request; what is wrong in them is told of each."""
    for i, row in enumerate(check.batch(request.rows, "rows")):
        check.count(row.line, f"rows[{i}].line", least=1)


class ImportRpc(ImportServiceServicer):
    """Bulk import of customers."""

    rules: ClassVar[Rules] = {pb.AppendImportRowsRequest: _batch}

    def __init__(self, db: Database) -> None:
        self.db = db

    CreateImportJob = change(pb.CreateImportJobRequest, usecases.create_job, ImportJob)
    GetImportJob = get(IMPORT_JOB, store.JOB, ImportJob)
    ListImportJobs = listing(pb.ListImportJobsResponse, store.LIST_JOBS)
    ListImportFindings = listing(
        pb.ListImportFindingsResponse, store.LIST_FINDINGS, parent=(IMPORT_JOB, store.JOB)
    )
    CommitImportJob = change(pb.CommitImportJobRequest, usecases.commit_job, ImportJob)
    CancelImportJob = change(pb.CancelImportJobRequest, usecases.cancel_job, ImportJob)

    @mutation
    async def AppendImportRows(self, request: pb.AppendImportRowsRequest, tx: Transaction) -> ImportJob:
        """Check and keep rows."""
        (job_id,) = IMPORT_JOB.parse(request.name)
        return to_message(ImportJob, await usecases.append_rows(tx, job_id, list(map(_row, request.rows))))


def _row(row: ImportRow) -> usecases.Row:
    """A checked row. It needs a handle to be found by, or a second import would make a second customer."""
    check = Check()
    check.texts(row.customer)
    if len(row.customer.identifiers) > ROW_IDENTIFIERS_MAX:
        check.refuse("identifiers", "TOO_LONG", f"must hold at most {ROW_IDENTIFIERS_MAX} in a row")
        return usecases.Row(row.line, Draft(), check.violations)
    draft = read_draft(check, row.customer)
    require_findable(check, [(handle.type, handle.normalized_value) for handle in draft.handles])
    return usecases.Row(row.line, replace(draft, confirmed=row.confirmed), check.violations)
