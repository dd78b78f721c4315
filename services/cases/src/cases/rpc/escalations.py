"""The gRPC service of escalations."""

from datetime import datetime
from typing import ClassVar

from cases.domain.escalation import SAID_BY_PEOPLE
from cases.domain.promise_clock import PromiseClock
from cases.names import ESCALATION
from cases.store import escalations as store
from cases.usecases.escalation import create_escalation, take_escalation
from chassis.api.checks import Rules
from chassis.api.messages import value_name
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import escalation_service_pb2 as pb
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceServicer


def check_escalation(check: Check, sent: Escalation, now: datetime) -> None:
    """A case or a promise, for a reason that is people's to say."""
    if bool(sent.case) == bool(sent.promise):
        check.refuse("case", "REQUIRED", "must be given, or promise, not both")
    if sent.reason and value_name(sent, "reason") not in SAID_BY_PEOPLE:
        check.refuse("reason", "INVALID_ENUM", "must be CUSTOMER_ASKED or BEYOND_AUTHORITY")


class EscalationRpc(Rpc, EscalationServiceServicer):
    """Whom to ask when whoever works on something cannot go on alone."""

    clock: PromiseClock
    rules: ClassVar[Rules] = {Escalation: check_escalation}

    CreateEscalation = change(pb.CreateEscalationRequest, create_escalation, Escalation)
    TakeEscalation = change(pb.TakeEscalationRequest, take_escalation, Escalation)
    GetEscalation = get(ESCALATION, store.ESCALATION, Escalation)
    ListEscalations = listing(pb.ListEscalationsResponse, store.LIST_ESCALATIONS)
    ExplainEscalation = explain(ESCALATION, store.ESCALATION, Escalation)
