"""A servicer whose behaviour each test decides, behind a real server on a socket."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from chassis.auth.tokens import Verifier
from chassis.grpc.server import Server
from rapport.customer.v1 import view_service_pb2, view_service_pb2_grpc
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from rapport_testing.engines.ports import free_port
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any request will do."""
    monkeypatch.setattr("chassis.grpc.server.checker", lambda *_: lambda *_: [])


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Answers `BatchGetAccounts` and `PostTransfer` as the test says; `ListTransfers` is not implemented."""

    def __init__(self) -> None:
        self.behave: Callable[[Any], Awaitable[Any]] = self.empty

    async def empty(self, _: Any) -> Any:
        return ledger_service_pb2.BatchGetAccountsResponse()

    async def BatchGetAccounts(self, request: Any, context: Any) -> Any:
        return await self.behave(request)

    async def PostTransfer(self, request: Any, context: Any) -> Any:
        return await self.behave(request)


class Views(view_service_pb2_grpc.ViewServiceServicer):
    """Streams what the test says."""

    def __init__(self) -> None:
        self.behave: Callable[[Any], AsyncIterator[Any]] = self.twice

    async def twice(self, _: Any) -> AsyncIterator[Any]:
        for _ in range(2):
            yield view_service_pb2.WatchCustomerViewResponse()

    async def WatchCustomerView(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async for response in self.behave(request):
            yield response


class Served:
    """A running server and a client of it."""

    def __init__(self, server: Server, address: str, ledger: Ledger, views: Views, token: str) -> None:
        self.server = server
        self.address = address
        self.ledger = ledger
        self.views = views
        self.channel = grpc.aio.insecure_channel(address)
        self.stub = ledger_service_pb2_grpc.LedgerServiceStub(self.channel)
        self.view_stub = view_service_pb2_grpc.ViewServiceStub(self.channel)
        self.identity = (("authorization", f"Bearer {token}"),)

    async def get(self, *metadata: tuple[str, str], timeout: float | None = 5, **kwargs: Any) -> Any:  # noqa: ASYNC109
        """Call `BatchGetAccounts` with a valid token."""
        request = ledger_service_pb2.BatchGetAccountsRequest(**kwargs)
        return await self.stub.BatchGetAccounts(
            request, timeout=timeout, metadata=(*self.identity, *metadata)
        )


@pytest.fixture
async def served(issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    ledger, views = Ledger(), Views()  # type: ignore[abstract]  # what is missing answers UNIMPLEMENTED
    server = Server("loyalty", [ledger, views], Verifier(issuer.jwks_url, ISSUER), nobody_asks)
    port = await server.start("127.0.0.1", free_port())
    running = Served(server, f"127.0.0.1:{port}", ledger, views, issuer.token())
    yield running
    await running.channel.close(None)
    monkeypatch.setattr("chassis.grpc.server.QUIET_S", 0.001)  # nobody calls any more
    await server.stop(0)
