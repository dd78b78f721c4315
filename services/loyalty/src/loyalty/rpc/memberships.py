"""The gRPC service of memberships."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.program import Membership
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAM
from loyalty.store.programs import GET_MEMBERSHIP, LIST_MEMBERSHIPS
from loyalty.usecases.memberships import create_membership
from rapport.loyalty.v1 import membership_pb2, membership_service_pb2, membership_service_pb2_grpc


class MembershipRpc(membership_service_pb2_grpc.MembershipServiceServicer):
    """Customers' places in programs."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateMembership(
        self, request: membership_service_pb2.CreateMembershipRequest, tx: Transaction
    ) -> membership_pb2.Membership:
        """Make a customer a member."""
        check = Check()
        (program,) = check.name(PROGRAM, request.parent, "parent")
        (customer_id,) = check.name(CUSTOMER, request.membership.customer, "membership.customer")
        check.raise_if_any()
        return _message(await create_membership(tx, program, customer_id))

    async def GetMembership(
        self, request: membership_service_pb2.GetMembershipRequest, context: Any
    ) -> membership_pb2.Membership:
        """One membership."""
        program, membership_id = MEMBERSHIP.parse(request.name)
        membership = await GET_MEMBERSHIP.maybe(self.db, program=program, id=membership_id)
        if membership is None:
            raise NotFound(request.name)
        return _message(membership)

    async def ListMemberships(
        self, request: membership_service_pb2.ListMembershipsRequest, context: Any
    ) -> membership_service_pb2.ListMembershipsResponse:
        """The memberships of a program, oldest first."""
        (program,) = PROGRAM.parse(request.parent, "parent")
        found, token = await LIST_MEMBERSHIPS.page(self.db, request, _message, program=program)
        return membership_service_pb2.ListMembershipsResponse(memberships=found, next_page_token=token)


def _message(membership: Membership) -> membership_pb2.Membership:
    customer = CUSTOMER.format(membership.customer_id)
    return to_message(membership_pb2.Membership, membership, customer=customer)
