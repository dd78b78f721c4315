"""ReevaluationJobService."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.domain.value import ValueFormula
from loyalty.names import REEVALUATION_JOB
from loyalty.store import reevaluation as store
from loyalty.usecases import reevaluation
from loyalty.usecases.reevaluation import Asked
from loyalty.usecases.reevaluation_preview import preview_job
from rapport.loyalty.v1 import reevaluation_job_service_pb2 as pb
from rapport.loyalty.v1.reevaluation_job_pb2 import ReevaluationJob
from rapport.loyalty.v1.reevaluation_job_service_pb2_grpc import ReevaluationJobServiceServicer

_ASKED = into(ReevaluationJob, Asked)


def check_job(check: Check, sent: ReevaluationJob, now: datetime) -> None:
    """By the rules of a program or by one, of a time that is one."""
    if bool(sent.program) == bool(sent.earning_rule):
        check.refuse("program", "REQUIRED", "must be given, or earning_rule, not both")
    first, last = ((each.seconds, each.nanos) for each in (sent.start_time, sent.end_time))
    if last <= first:
        check.refuse("end_time", "INVALID_TIME", "must be after start_time")


class ReevaluationJobRpc(Rpc, ReevaluationJobServiceServicer):
    """Jobs that reckon anew what purchases earned."""

    rules: ClassVar[Rules] = {ReevaluationJob: check_job}

    formula: ValueFormula

    CreateReevaluationJob = change(pb.CreateReevaluationJobRequest, reevaluation.create_job, ReevaluationJob)
    CancelReevaluationJob = change(pb.CancelReevaluationJobRequest, reevaluation.cancel_job, ReevaluationJob)
    GetReevaluationJob = get(REEVALUATION_JOB, store.JOB, ReevaluationJob)
    ListReevaluationJobs = listing(pb.ListReevaluationJobsResponse, store.LIST_JOBS)
    ListReevaluationResults = listing(
        pb.ListReevaluationResultsResponse, store.LIST_RESULTS, parent=(REEVALUATION_JOB, store.JOB)
    )
    ExplainReevaluationJob = explain(REEVALUATION_JOB, store.JOB, ReevaluationJob)

    async def PreviewReevaluationJob(
        self, request: pb.PreviewReevaluationJobRequest, context: Any
    ) -> pb.PreviewReevaluationJobResponse:
        """What a job would change: nothing is written."""
        preview = await preview_job(self.db, self.formula, _ASKED(request.reevaluation_job))
        return to_message(pb.PreviewReevaluationJobResponse, preview)
