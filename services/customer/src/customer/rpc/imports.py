"""ImportService."""

from chassis.api.customers import check_row
from chassis.api.messages import to_message
from chassis.api.pages import in_turns
from chassis.api.validation import Found
from chassis.db.transaction import Transaction
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from customer.domain.identifiers import Draft
from customer.names import IMPORT_JOB
from customer.rpc.drafts import read_draft
from customer.store import imports as store
from customer.usecases import imports as usecases
from rapport.customer.v1 import import_service_pb2 as pb
from rapport.customer.v1.import_job_pb2 import ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceServicer


class ImportRpc(Rpc, ImportServiceServicer):
    """Bulk import of customers."""

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
        (job_id,), now = IMPORT_JOB.ids(request.name), self.db.clock.now()
        rows = [_row(row, check_row(row.customer, now)) async for row in in_turns(request.rows)]
        return to_message(ImportJob, await usecases.append_rows(tx, job_id, rows))


def _row(row: ImportRow, wrong: Found) -> usecases.Row:
    draft = Draft() if wrong else read_draft(row.customer, confirmed=row.confirmed)
    return usecases.Row(row.line, draft, wrong)
