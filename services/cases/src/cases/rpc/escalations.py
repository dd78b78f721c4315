"""The gRPC service of escalations."""

from cases.domain.promise_clock import PromiseClock
from cases.names import ESCALATION
from cases.store import escalations as store
from cases.usecases.escalation import create_escalation, take_escalation
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import escalation_service_pb2 as pb
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceServicer


class EscalationRpc(Rpc, EscalationServiceServicer):
    """The ladder that cases go up."""

    clock: PromiseClock

    CreateEscalation = change(pb.CreateEscalationRequest, create_escalation, Escalation)
    TakeEscalation = change(pb.TakeEscalationRequest, take_escalation, Escalation)
    GetEscalation = get(ESCALATION, store.ESCALATION, Escalation)
    ListEscalations = listing(pb.ListEscalationsResponse, store.LIST_ESCALATIONS)
    ExplainEscalation = explain(ESCALATION, store.ESCALATION, Escalation)
