"""The gRPC service of memberships."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.ledger import Account, AccountKey, AccountKind
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAMME
from loyalty.store.ledger import GET_ACCOUNTS
from loyalty.usecases.memberships import enrol
from rapport.loyalty.v1 import membership_service_pb2, membership_service_pb2_grpc


class MembershipRpc(membership_service_pb2_grpc.MembershipServiceServicer):
    """Customers' places in programmes."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def Enrol(
        self, request: membership_service_pb2.EnrolRequest, tx: Transaction
    ) -> membership_service_pb2.Membership:
        """Enrol a customer."""
        check = Check()
        (programme,) = check.name(PROGRAMME, request.parent, "parent")
        (customer_id,) = check.name(CUSTOMER, request.customer, "customer")
        check.raise_if_any()
        return _message(await enrol(tx, programme, customer_id))

    async def GetMembership(
        self, request: membership_service_pb2.GetMembershipRequest, context: Any
    ) -> membership_service_pb2.Membership:
        """One membership."""
        programme, customer_id = MEMBERSHIP.parse(request.name)
        key = AccountKey(programme, AccountKind.MEMBERSHIP, customer_id)
        account = await GET_ACCOUNTS.maybe(self.db, ids=[key.id])
        if account is None:
            raise NotFound(request.name)
        return _message(account)


def _message(account: Account) -> membership_service_pb2.Membership:
    return to_message(
        membership_service_pb2.Membership,
        account,
        customer=CUSTOMER.format(account.customer_id),
        points_balance=account.points,
        join_time=account.open_time,
    )
