"""Whether a service reaches everybody whom it calls, with what its settings say: what `helm test` asks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.grpc.client import Channels
from rapport.operations.v1 import operations_service_pb2, operations_service_pb2_grpc

Probe = Callable[[], Awaitable[None]]

WITHIN_S = 30.0  # after an install, others may still be starting
AGAIN_S = 1.0


class NotServing(Exception):
    """A service answers, and is not ready."""


async def unreached(
    channels: Channels, probes: Mapping[str, Probe], known: bool, within_s: float = WITHIN_S
) -> list[str]:
    """A sentence for each that does not answer in time. None: all of them do.

    Probes are whatever else is reached, by name; each raises when it is not. `known` says whether this
    service has a token, which the others must accept then.
    """
    services: dict[str, Probe] = {n: partial(_serves, channels.to(n), n, known) for n in channels}
    found = await asyncio.gather(*(_told(*each, within_s) for each in (services | dict(probes)).items()))
    return [sentence for sentence in found if sentence]


async def _told(name: str, ask: Probe, within_s: float) -> str:
    until = asyncio.get_running_loop().time() + within_s
    while True:
        try:
            await ask()
        except Exception as error:
            said = f"{name}: {_words(error)}"
        else:
            return ""
        if asyncio.get_running_loop().time() > until:
            return said
        await asyncio.sleep(AGAIN_S)


async def _serves(peer: Any, name: str, known: bool) -> None:
    answer = await health_pb2_grpc.HealthStub(peer).Check(health_pb2.HealthCheckRequest())
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotServing("answers, and is not ready")
    if not known:
        return
    request = operations_service_pb2.GetBacklogRequest(name=f"services/{name}/backlog")
    try:
        await operations_service_pb2_grpc.OperationsServiceStub(peer).GetBacklog(request)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.PERMISSION_DENIED:  # which says that our token is good
            raise


def _words(error: Exception) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"
