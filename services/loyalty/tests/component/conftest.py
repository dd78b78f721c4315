"""The loyalty service, started, and clients of it. After each test the ledger is proven right."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa

from chassis.db.statement import Statement
from loyalty.domain.ledger import AccountType
from loyalty.service import service
from loyalty.store.tables import ACCOUNTS, ENTRIES, TRANSFERS
from rapport.loyalty.v1.earning_service_pb2_grpc import EarningServiceStub
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.ledger_service_pb2 import (
    BatchGetAccountsRequest,
    ListAccountsRequest,
    PostTransferRequest,
    ReverseTransferRequest,
)
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import (
    CloseMembershipRequest,
    CreateMembershipRequest,
    ListMembershipsRequest,
    MergeMembershipsRequest,
    ReopenMembershipRequest,
    UnmergeMembershipRequest,
)
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceStub
from rapport.loyalty.v1.program_service_pb2_grpc import ProgramServiceStub
from rapport.loyalty.v1.purchase_service_pb2 import ListCustomerValuesRequest
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport.loyalty.v1.reevaluation_job_service_pb2_grpc import ReevaluationJobServiceStub
from rapport.loyalty.v1.transfer_pb2 import Leg, Transfer
from rapport_testing.fixtures import Start
from rapport_testing.running import Running
from rapport_testing.sharing import Shared, is_alone

MAIN = "programs/main"
ISSUED = f"{MAIN}/accounts/points-issued"
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.RESOURCE_EXHAUSTED}

# The proofs. Each returns what is wrong; of a ledger that is right, nothing.
_SUMS = (
    sa.select(
        ENTRIES.c.account_id,
        sa.func.sum(ENTRIES.c.amount).label("balance"),
        sa.func.max(ENTRIES.c.version).label("version"),
        sa.func.count().label("entries"),
    )
    .group_by(ENTRIES.c.account_id)
    .subquery()
)
UNBALANCED_TRANSFERS = Statement[Any](
    sa.select(TRANSFERS.c.id)
    .outerjoin(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id)
    .outerjoin(ACCOUNTS, ACCOUNTS.c.id == ENTRIES.c.account_id)
    .group_by(TRANSFERS.c.id, ACCOUNTS.c.program_id, ACCOUNTS.c.unit_id)
    .having((sa.func.count(ENTRIES.c.account_id) < 2) | (sa.func.sum(ENTRIES.c.amount) != 0))
)
WRONG_BALANCES = Statement[Any](
    sa.select(ACCOUNTS.c.id)
    .outerjoin(_SUMS, _SUMS.c.account_id == ACCOUNTS.c.id)
    .where(
        (ACCOUNTS.c.balance != sa.func.coalesce(_SUMS.c.balance, 0))
        | (ACCOUNTS.c.version != sa.func.coalesce(_SUMS.c.version, 0))
        | (ACCOUNTS.c.version != sa.func.coalesce(_SUMS.c.entries, 0))
        | ((ACCOUNTS.c.type == AccountType.MEMBERSHIP.value) & (ACCOUNTS.c.balance < 0))
    )
)


class Desk:
    """What an agent does at the loyalty service."""

    def __init__(self, running: Running) -> None:
        self.ledger: Any = running.stub(LedgerServiceStub)
        self.programs: Any = running.stub(ProgramServiceStub)
        self.memberships: Any = running.stub(MembershipServiceStub)
        self.purchases: Any = running.stub(PurchaseServiceStub)
        self.earning: Any = running.stub(EarningServiceStub)
        self.jobs: Any = running.stub(ReevaluationJobServiceStub)
        self.goodwill: Any = running.stub(GoodwillServiceStub)

    async def insist(self, method: Any, request: Any) -> Any:
        """Call as clients do: what may be tried again is tried again, with the same request id."""
        for _ in range(20):
            try:
                return await method(request)
            except grpc.aio.AioRpcError as error:
                if error.code() not in RETRIED:
                    raise
        raise AssertionError(f"{request} is not answered")

    async def join(self, customer: str = "") -> Membership:
        """A new membership."""
        membership = Membership(customer=customer or f"customers/{uuid4()}")
        request = CreateMembershipRequest(parent=MAIN, membership=membership)
        made: Membership = await self.memberships.CreateMembership(request)
        return made

    async def merge(self, into: str, merged: str) -> Membership:
        """Make one membership part of another."""
        request = MergeMembershipsRequest(
            name=into, merged_membership=merged, reason_code="same-household", request_id=str(uuid4())
        )
        whole: Membership = await self.memberships.MergeMemberships(request)
        return whole

    async def unmerge(self, merged: str) -> Membership:
        """Make it one of its own again."""
        request = UnmergeMembershipRequest(name=merged, reason_code="mistake", request_id=str(uuid4()))
        own: Membership = await self.memberships.UnmergeMembership(request)
        return own

    async def close(self, membership: str, into: str = "") -> Membership:
        """Close a membership; what it holds goes to another, or is forfeited."""
        request = CloseMembershipRequest(
            name=membership, receiving_membership=into, reason_code="wish", request_id=str(uuid4())
        )
        closed: Membership = await self.memberships.CloseMembership(request)
        return closed

    async def reopen(self, membership: str) -> Membership:
        """Open a closed membership again."""
        request = ReopenMembershipRequest(name=membership, reason_code="back")
        opened: Membership = await self.memberships.ReopenMembership(request)
        return opened

    async def reverse(self, transfer: str) -> Transfer:
        """Undo a transfer."""
        request = ReverseTransferRequest(name=transfer, reason_code="returned", request_id=str(uuid4()))
        reversal: Transfer = await self.ledger.ReverseTransfer(request)
        return reversal

    async def membership_of(self, customer: str) -> Membership:
        """A member's only membership."""
        request = ListMembershipsRequest(parent=MAIN, filter=f'customer = "{customer}"')
        (member,) = (await self.memberships.ListMemberships(request)).memberships
        found: Membership = member
        return found

    async def account_of(self, customer: str) -> str:
        """A member's only account."""
        (account,) = await self.accounts_of((await self.membership_of(customer)).name)
        return str(account.name)

    async def accounts_of(self, membership: str) -> list[Any]:
        """A member's accounts."""
        program = membership.partition("/memberships/")[0]
        request = ListAccountsRequest(parent=program, filter=f'membership = "{membership}"')
        return list((await self.ledger.ListAccounts(request)).accounts)

    async def member(self, points: int = 0) -> str:
        """The account of a new member that holds `points`."""
        (account,) = await self.accounts_of((await self.join()).name)
        if points:
            await self.ledger.PostTransfer(self.posting(ISSUED, account.name, points))
        return str(account.name)

    def joining(self, customer: str) -> CreateMembershipRequest:
        """A request to make a customer a member."""
        return CreateMembershipRequest(parent=MAIN, membership=Membership(customer=customer))

    def posting(self, giver: str, getter: str, points: int) -> PostTransferRequest:
        """A request to move points between two accounts."""
        return self.transfer((giver, -points), (getter, points))

    def transfer(self, *legs: tuple[str, int], reason_code: str = "correction") -> PostTransferRequest:
        """A request to move what the legs say."""
        sent = [Leg(account=account, amount=amount) for account, amount in legs]
        transfer = Transfer(legs=sent, reason_code=reason_code)
        return PostTransferRequest(transfer=transfer, request_id=str(uuid4()))

    async def worth(self, customer: str) -> Any:
        """What a customer is worth; None before they bought anything."""
        request = ListCustomerValuesRequest(filter=f'customer = "{customer}"')
        found = (await self.purchases.ListCustomerValues(request)).customer_values
        return found[0] if found else None

    async def points(self, *accounts: str) -> list[int]:
        """What accounts hold."""
        program = accounts[0].partition("/accounts/")[0]
        request = BatchGetAccountsRequest(parent=program, names=accounts)
        return [account.balance for account in (await self.ledger.BatchGetAccounts(request)).accounts]


@pytest.fixture
async def running(start: Start, shared: Shared, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """The service: that of the module, unless the test is alone. Whatever it did, the ledger's sums hold."""
    running = await (start if is_alone(request) else shared.service)(service)
    yield running
    assert await UNBALANCED_TRANSFERS.all(running.db) == []
    assert await WRONG_BALANCES.all(running.db) == []


@pytest.fixture
async def desk(running: Running) -> Desk:
    """Clients of the service."""
    return Desk(running)


@pytest.fixture
def desk_of() -> type[Desk]:
    """Makes clients of a service that a test started with its own settings."""
    return Desk
