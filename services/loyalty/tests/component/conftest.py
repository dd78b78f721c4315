"""The loyalty service, started, and clients of it. After each test the ledger is proven right."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from loyalty.service import service
from loyalty.store.ledger import UNBALANCED_TRANSFERS, WRONG_BALANCES
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.ledger_pb2 import Transfer
from rapport.loyalty.v1.ledger_service_pb2 import GetBalancesRequest, PostTransferRequest
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.loyalty.v1.membership_service_pb2 import EnrolRequest
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceStub
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_testing.running import Running

ISSUED = "programmes/main/accounts/issued"
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}


class Desk:
    """What an agent does at the loyalty service."""

    def __init__(self, running: Running) -> None:
        self.ledger: Any = running.stub(LedgerServiceStub)
        self.memberships: Any = running.stub(MembershipServiceStub)
        self.purchases: Any = running.stub(PurchaseServiceStub)
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

    async def member(self, points: int = 0) -> str:
        """A new membership that holds `points`."""
        request = EnrolRequest(parent="programmes/main", customer=f"customers/{uuid4()}")
        name: str = (await self.memberships.Enrol(request)).name
        if points:
            await self.ledger.PostTransfer(self.posting(ISSUED, name, points))
        return name

    def posting(self, debit: str, credit: str, points: int, **other: Any) -> PostTransferRequest:
        """A request to move points."""
        fields = {
            "debit_account": debit,
            "credit_account": credit,
            "points": points,
            "reason_code": "correction",
        }
        return PostTransferRequest(transfer=Transfer(**{**fields, **other}), request_id=str(uuid4()))

    async def points(self, *accounts: str) -> list[int]:
        """What accounts hold."""
        response = await self.ledger.GetBalances(GetBalancesRequest(accounts=accounts))
        return [balance.points for balance in response.balances]


@pytest.fixture
async def running(start: Any) -> AsyncIterator[Running]:
    """The service. Whatever the test did, the sums of the ledger hold."""
    running = await start(service)
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
