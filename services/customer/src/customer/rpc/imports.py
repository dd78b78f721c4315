"""ImportService."""

from dataclasses import replace
from typing import Any

from chassis.api.customers import require_findable
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from customer.domain.identifiers import Draft
from customer.domain.imports import Finding, ImportJob
from customer.rpc import names
from customer.rpc.drafts import read_draft
from customer.store.imports import JOB, LIST_FINDINGS, LIST_JOBS
from customer.usecases.imports import Row, append_rows, cancel_job, commit_job, create_job
from rapport.customer.v1 import import_job_pb2, import_service_pb2, import_service_pb2_grpc

# A thousand rows are applied in one transaction.
ROW_IDENTIFIERS_MAX = 20


class ImportRpc(import_service_pb2_grpc.ImportServiceServicer):
    """Bulk import of customers."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateImportJob(
        self, request: import_service_pb2.CreateImportJobRequest, tx: Transaction
    ) -> import_job_pb2.ImportJob:
        """Create a job."""
        check, source = Check(), request.import_job.source
        check.text(check.reference(source, "import_job.source"), "import_job.source")
        check.raise_if_any()
        return _message(await create_job(tx, source))

    @mutation
    async def AppendImportRows(
        self, request: import_service_pb2.AppendImportRowsRequest, tx: Transaction
    ) -> import_job_pb2.ImportJob:
        """Check and keep rows."""
        check = Check()
        (job_id,) = check.name(names.IMPORT_JOB, request.name, "name")
        rows = check.batch(request.rows, "rows")
        for i, row in enumerate(rows):
            check.count(row.line, f"rows[{i}].line", least=1)
        check.raise_if_any()
        return _message(await append_rows(tx, job_id, [_row(row) for row in rows]))

    async def GetImportJob(
        self, request: import_service_pb2.GetImportJobRequest, context: Any
    ) -> import_job_pb2.ImportJob:
        """Get a job."""
        (job_id,) = names.IMPORT_JOB.parse(request.name)
        job = await JOB.maybe(self.db, id=job_id)
        if job is None:
            raise NotFound(request.name)
        return _message(job)

    async def ListImportJobs(
        self, request: import_service_pb2.ListImportJobsRequest, context: Any
    ) -> import_service_pb2.ListImportJobsResponse:
        """List jobs, newest first."""
        jobs, token = await LIST_JOBS.page(self.db, request, _message)
        return import_service_pb2.ListImportJobsResponse(import_jobs=jobs, next_page_token=token)

    async def ListImportFindings(
        self, request: import_service_pb2.ListImportFindingsRequest, context: Any
    ) -> import_service_pb2.ListImportFindingsResponse:
        """List what is to be known about rows."""
        (job_id,) = names.IMPORT_JOB.parse(request.parent, "parent")
        findings, token = await LIST_FINDINGS.page(self.db, request, _finding, job_id=job_id)
        if not findings and await JOB.maybe(self.db, id=job_id) is None:
            raise NotFound(request.parent)
        return import_service_pb2.ListImportFindingsResponse(import_findings=findings, next_page_token=token)

    @mutation
    async def CommitImportJob(
        self, request: import_service_pb2.CommitImportJobRequest, tx: Transaction
    ) -> import_job_pb2.ImportJob:
        """Begin to apply the rows."""
        (job_id,) = names.IMPORT_JOB.parse(request.name)
        return _message(await commit_job(tx, job_id))

    @mutation
    async def CancelImportJob(
        self, request: import_service_pb2.CancelImportJobRequest, tx: Transaction
    ) -> import_job_pb2.ImportJob:
        """Give up a job."""
        (job_id,) = names.IMPORT_JOB.parse(request.name)
        return _message(await cancel_job(tx, job_id))


def _finding(finding: Finding) -> import_job_pb2.ImportFinding:
    return to_message(import_job_pb2.ImportFinding, finding)


def _row(row: import_job_pb2.ImportRow) -> Row:
    """A checked row. It needs a handle to be found by, or a second import would make a second customer."""
    check = Check()
    check.texts(row.customer)
    if len(row.customer.identifiers) > ROW_IDENTIFIERS_MAX:
        check.refuse("identifiers", "TOO_LONG", f"must hold at most {ROW_IDENTIFIERS_MAX} in a row")
        return Row(row.line, Draft(), check.violations)
    draft = read_draft(check, row.customer)
    require_findable(check, [(handle.type, handle.normalized_value) for handle in draft.handles])
    return Row(row.line, replace(draft, confirmed=row.confirmed), check.violations)


def _message(job: ImportJob) -> import_job_pb2.ImportJob:
    return to_message(import_job_pb2.ImportJob, job)
