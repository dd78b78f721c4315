"""CaseJobService."""

from datetime import datetime
from typing import Any, ClassVar

from cases.domain.case_job import Asked
from cases.names import CASE, CASE_JOB
from cases.store import case_jobs as store
from cases.usecases import case_job
from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import case_job_service_pb2 as pb
from rapport.cases.v1.case_job_pb2 import CaseJob, CaseJobResult
from rapport.cases.v1.case_job_service_pb2_grpc import CaseJobServiceServicer

_ASKED = into(CaseJob, Asked)
_DONE = ("owner", "topic", "note_text", "resolution")


def check_job(check: Check, sent: CaseJob, now: datetime) -> None:
    """Cases of a filter or of a problem."""
    if bool(sent.filter.strip()) == bool(sent.problem):
        check.refuse("filter", "REQUIRED", "must be given, or problem, not both")


def check_change(check: Check, sent: CaseJob.Change, now: datetime) -> None:
    """Something that is done to them."""
    if not any(getattr(sent, name) for name in _DONE):
        check.refuse("resolution", "REQUIRED", f"must be given, or another of {', '.join(_DONE)}")


class CaseJobRpc(Rpc, CaseJobServiceServicer):
    """One thing that is done to many cases."""

    rules: ClassVar[Rules] = {CaseJob: check_job, CaseJob.Change: check_change}

    CreateCaseJob = change(pb.CreateCaseJobRequest, case_job.create_case_job, CaseJob)
    CancelCaseJob = change(pb.CancelCaseJobRequest, case_job.cancel_case_job, CaseJob)
    GetCaseJob = get(CASE_JOB, store.CASE_JOB, CaseJob)
    ListCaseJobs = listing(pb.ListCaseJobsResponse, store.LIST_CASE_JOBS)
    ListCaseJobResults = listing(
        pb.ListCaseJobResultsResponse, store.LIST_RESULTS, parent=(CASE_JOB, store.CASE_JOB)
    )
    ExplainCaseJob = explain(CASE_JOB, store.CASE_JOB, CaseJob)

    async def PreviewCaseJob(
        self, request: pb.PreviewCaseJobRequest, context: Any
    ) -> pb.PreviewCaseJobResponse:
        """What a job would do."""
        preview = await case_job.preview_case_job(self.db, _ASKED(request.case_job))
        return pb.PreviewCaseJobResponse(
            case_count=preview.case_count,
            cases=[CASE.format(each) for each in preview.case_ids],
            checked_count=preview.checked_count,
            refused=[to_message(CaseJobResult, each) for each in preview.refused],
        )
