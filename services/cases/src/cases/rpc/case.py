"""The gRPC service of cases."""

from cases.names import CASE
from cases.store import cases as store
from cases.usecases import case as usecases
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import case_service_pb2 as pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceServicer


class CaseRpc(Rpc, CaseServiceServicer):
    """Cases from the first contact to the resolution."""

    OpenCase = change(pb.OpenCaseRequest, usecases.open_case, Case)
    GetCase = get(CASE, store.CASE, Case)
    ListCases = listing(pb.ListCasesResponse, store.LIST_CASES)
    UpdateCase = change(pb.UpdateCaseRequest, usecases.update_case, Case)
    AssignCase = change(pb.AssignCaseRequest, usecases.assign_case, Case)
    ResolveCase = change(pb.ResolveCaseRequest, usecases.resolve_case, Case)
    ReopenCase = change(pb.ReopenCaseRequest, usecases.reopen_case, Case)
    ExplainCase = explain(CASE, store.CASE, Case)
