"""The gRPC service of calls to customers."""

from cases.domain.promise_clock import PromiseClock
from cases.usecases.call import Calling, record_call_outcome
from cases.usecases.call_request import request_call
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
