"""The gRPC service of the ledger of hand-offs."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from cases.names import DEPARTMENT, HANDOFF
from cases.store import handoffs as store
from cases.usecases.handoff_report import report_handoffs
from chassis.api.checks import Rules
from chassis.api.messages import moment
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.grpc.methods import get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import handoff_service_pb2 as pb
from rapport.cases.v1.handoff_pb2 import Handoff
from rapport.cases.v1.handoff_service_pb2_grpc import HandoffServiceServicer

PERIOD_MAX = timedelta(days=366)


def check_period(check: Check, sent: Any, now: datetime) -> None:
    """From a moment to a later one, of a year at most."""
    start, end = time_of(sent, "start_time"), time_of(sent, "end_time")
    if start and end and not start < end <= start + PERIOD_MAX:
        check.refuse("end_time", "INVALID_TIME", "must be later than start_time, by 366 days at most")


class HandoffRpc(Rpc, HandoffServiceServicer):
    """Who waited how long for whom."""

    rules: ClassVar[Rules] = {pb.ReportHandoffsRequest: check_period}

    GetHandoff = get(HANDOFF, store.HANDOFF, Handoff)
    ListHandoffs = listing(pb.ListHandoffsResponse, store.LIST_HANDOFFS)

    async def ReportHandoffs(self, request: pb.ReportHandoffsRequest, context: Any) -> pb.HandoffReport:
        """Where the time of cases went, all in all and by who waited for whom."""
        period = moment(request.start_time), moment(request.end_time)
        totals, pairs = await report_handoffs(self.db, *period, request.topic)
        worked = totals.pop("worked_seconds")
        waited = totals["end_to_end_seconds"] - worked
        return pb.HandoffReport(
            **totals, work_seconds=worked, wait_seconds=waited, pairs=[_pair(each) for each in pairs]
        )


def _pair(row: dict[str, Any]) -> pb.HandoffReport.Pair:
    for each in ("requesting_department", "department"):
        row[each] = DEPARTMENT.format(row.pop(f"{each}_id"))
    return pb.HandoffReport.Pair(**row)
