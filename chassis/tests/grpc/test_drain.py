"""A server that stops under load loses no call of a chassis client that knows another replica."""

import asyncio
import os
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.auth.tokens import Verifier
from chassis.grpc.client import Channels
from chassis.grpc.server import Server
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc, transfer_pb2
from rapport_testing.engines.ports import free_port
from rapport_testing.tokens import ISSUER
from rapport_testing.wait import eventually

STOPS = 40 if os.environ.get("RAPPORT_EVERY_MOMENT") else 6
CALLERS = 16


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Takes a moment for each transfer."""

    def __init__(self) -> None:
        self.answered = 0

    async def PostTransfer(self, request: Any, context: Any) -> Any:
        await asyncio.sleep(0.002)
        self.answered += 1
        return transfer_pb2.Transfer()


class Replica:
    """A server that can be started again on its port."""

    def __init__(self, issuer: Any) -> None:
        self.port = free_port()
        self._issuer = issuer

    async def start(self) -> None:
        self._ledger = Ledger()  # type: ignore[abstract]
        self._server = Server(
            "loyalty", [self._ledger], Verifier(self._issuer.jwks_url, ISSUER), lambda *_: None
        )
        await self._server.start("127.0.0.1", self.port)

    async def stop(self) -> None:
        await self._server.stop(5)

    def is_busy(self) -> bool:
        return self._ledger.answered > 5 * CALLERS


async def test_a_server_that_stops_under_load_loses_no_call(issuer: Any, tmp_path: Any) -> None:
    """The calls have no request id, so that nothing is tried a second time."""
    (tmp_path / "token").write_text(issuer.token("service:cases"))
    replicas = [Replica(issuer), Replica(issuer)]
    for replica in replicas:
        await replica.start()
    target = "ipv4:" + ",".join(f"127.0.0.1:{replica.port}" for replica in replicas)
    channels = Channels({"loyalty": target}, tmp_path / "token")
    stub = ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))
    lost, ended = [], asyncio.Event()

    async def call() -> None:
        while not ended.is_set():
            try:
                await stub.PostTransfer(ledger_service_pb2.PostTransferRequest())
            except grpc.aio.AioRpcError as error:
                lost.append(f"{error.code().name}: {error.details()}")

    callers = [asyncio.create_task(call()) for _ in range(CALLERS)]
    for stop in range(STOPS):
        await eventually(lambda: all(replica.is_busy() for replica in replicas), 60)
        await replicas[stop % 2].stop()
        await replicas[stop % 2].start()
    ended.set()
    await asyncio.gather(*callers)
    await channels.close()
    for replica in replicas:
        await replica.stop()
    assert lost == []


@pytest.mark.parametrize("what", ["health", "reflection"])
async def test_an_open_health_watch_does_not_hold_up_a_stop(served: Any, what: str) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    if what == "health":
        request = health_pb2.HealthCheckRequest(service="liveness")
        stream = health_pb2_grpc.HealthStub(served.channel).Watch(request)
    else:
        stream = reflection_pb2_grpc.ServerReflectionStub(served.channel).ServerReflectionInfo()
        await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    await stream.read()
    async with asyncio.timeout(10):  # of the 60 that calls would get
        await served.server.stop(60)
    assert await stream.code() is grpc.StatusCode.UNAVAILABLE
