"""What a server refuses to start with, and what it tells health checks."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc

from chassis.auth.tokens import Verifier
from chassis.grpc.server import Server
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks
from rapport_testing.wait import eventually

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def check(served: Any, service: str) -> Any:
    stub = health_pb2_grpc.HealthStub(served.channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_a_method_without_a_permission_refuses_to_start(issuer: TestIssuer) -> None:
    open_to_all = health_pb2_grpc.HealthServicer()
    with pytest.raises(ValueError, match=r"grpc\.health\.v1\.Health\.Check has no permission"):
        Server("loyalty", [open_to_all], Verifier(issuer.jwks_url, ISSUER), nobody_asks)


async def test_a_method_that_streams_requests_refuses_to_start(issuer: TestIssuer) -> None:
    streaming = reflection_pb2_grpc.ServerReflectionServicer()
    with pytest.raises(ValueError, match="ServerReflectionInfo streams requests"):
        Server("loyalty", [streaming], Verifier(issuer.jwks_url, ISSUER), nobody_asks)


async def test_what_is_no_servicer_refuses_to_start(issuer: TestIssuer) -> None:
    with pytest.raises(TypeError, match="must inherit from a generated Servicer"):
        Server("loyalty", [object()], Verifier(issuer.jwks_url, ISSUER), nobody_asks)


async def test_a_port_is_not_shared(served: Any, issuer: TestIssuer) -> None:
    host, port = served.address.split(":")
    other = Server("loyalty", [served.ledger], Verifier(issuer.jwks_url, ISSUER), nobody_asks)
    with pytest.raises(OSError, match=f"cannot listen on {served.address}"):
        await other.start(host, int(port))


async def test_a_server_waits_for_calls_once_and_not_for_each_of_its_methods(issuer: TestIssuer) -> None:
    def waiting() -> int:
        return sum(
            "_request_" in str(getattr(task.get_coro(), "__qualname__", "")) for task in asyncio.all_tasks()
        )

    servicer: Any = type("Ledger", (ledger_service_pb2_grpc.LedgerServiceServicer,), {})()
    server = Server("loyalty", [servicer], Verifier(issuer.jwks_url, ISSUER), nobody_asks)
    before = waiting()
    await server.start("127.0.0.1", 0)
    assert waiting() == before + 1
    await server.stop(0)


async def test_readiness_is_what_the_service_says_and_liveness_is_not(served: Any) -> None:
    assert await check(served, "") == NOT_SERVING
    assert await check(served, "readiness") == NOT_SERVING
    assert await check(served, "liveness") == SERVING
    served.server.set_ready(True)

    async def ready() -> bool:
        return bool(await check(served, "") == await check(served, "readiness") == SERVING)

    await eventually(ready)
    served.server.set_ready(False)

    async def unready() -> bool:
        return bool(await check(served, "readiness") == NOT_SERVING)

    await eventually(unready)
    assert await check(served, "liveness") == SERVING


async def test_a_call_under_way_finishes_while_the_server_stops(served: Any) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def wait(_: Any) -> Any:
        started.set()
        await release.wait()
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = wait
    call = asyncio.create_task(served.get())
    await started.wait()
    stopping = asyncio.create_task(served.server.stop(10))
    await asyncio.sleep(0)
    release.set()
    await call
    await stopping
    with pytest.raises(grpc.aio.AioRpcError):
        await served.get(timeout=0.5)
