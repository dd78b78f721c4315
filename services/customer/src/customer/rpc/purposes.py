"""PurposeService."""

from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer.names import PURPOSE
from customer.store import consents as store
from customer.usecases.purposes import create_purpose, update_purpose
from rapport.customer.v1 import purpose_service_pb2 as pb
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceServicer


class PurposeRpc(Rpc, PurposeServiceServicer):
    """The purposes of contact."""

    CreatePurpose = change(pb.CreatePurposeRequest, create_purpose, Purpose)
    GetPurpose = get(PURPOSE, store.PURPOSE, Purpose)
    ListPurposes = listing(pb.ListPurposesResponse, store.LIST_PURPOSES)
    ExplainPurpose = explain(PURPOSE, store.PURPOSE, Purpose)
    UpdatePurpose = change(pb.UpdatePurposeRequest, update_purpose, Purpose)
