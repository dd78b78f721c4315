"""The gRPC service of memberships."""

from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.names import MEMBERSHIP, PROGRAM
from loyalty.store import programs as store
from loyalty.usecases.memberships import create_membership
from rapport.loyalty.v1 import membership_service_pb2 as pb
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceServicer


class MembershipRpc(Rpc, MembershipServiceServicer):
    """Customers' places in programs."""

    CreateMembership = change(pb.CreateMembershipRequest, create_membership, Membership)
    GetMembership = get(MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ExplainMembership = explain(MEMBERSHIP, store.GET_MEMBERSHIP, Membership)
    ListMemberships = listing(
        pb.ListMembershipsResponse, store.LIST_MEMBERSHIPS, parent=(PROGRAM, store.GET_PROGRAM)
    )
