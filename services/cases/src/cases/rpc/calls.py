"""The gRPC service of calls to customers."""

from typing import Any

from cases.domain.promise_clock import PromiseClock
from cases.names import PROMISE
from cases.store import tables
from cases.usecases.call import Calling, record_call_outcome
from cases.usecases.call_request import check_call_first, request_call
from chassis.api.entities import found
from chassis.grpc.methods import change
from chassis.servicer import Rpc
from rapport.cases.v1 import call_service_pb2 as pb
from rapport.cases.v1.call_service_pb2_grpc import CallServiceServicer
from rapport.cases.v1.work_item_pb2 import WorkItem


class CallRpc(Rpc, CallServiceServicer):
    """Work that is a call."""

    clock: PromiseClock
    calling: Calling

    RequestCall = change(pb.RequestCallRequest, request_call, WorkItem)
    RecordCallOutcome = change(pb.RecordCallOutcomeRequest, record_call_outcome, WorkItem)

    async def CheckCallFirst(
        self, request: pb.CheckCallFirstRequest, context: Any
    ) -> pb.CheckCallFirstResponse:
        """Say whether a person is to tell the customer of a promise first."""
        promise = await found(self.db, PROMISE, tables.PROMISE, *PROMISE.ids(request.name))
        reasons = await check_call_first(self.db, promise)
        return pb.CheckCallFirstResponse(call_first=bool(reasons), reason_codes=reasons)
