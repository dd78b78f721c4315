"""What other services answer to the one that a test asks."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from deploy.services import TELLING
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2_grpc import (
    PurposeServiceServicer,
    add_PurposeServiceServicer_to_server,
)
from rapport_testing.engines.ports import free_port


class _Purposes(PurposeServiceServicer):
    """Every purpose is there, and essential."""

    async def GetPurpose(self, request: Any, context: Any) -> Purpose:
        return Purpose(name=request.name, essential=True)


@pytest.fixture(scope="module")
async def peers() -> AsyncIterator[dict[str, str]]:
    """Where the others are: nowhere, but for purposes."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_PurposeServiceServicer_to_server(_Purposes(), server)
    port = server.add_insecure_port(f"127.0.0.1:{free_port()}")
    await server.start()
    yield dict.fromkeys(TELLING, "127.0.0.1:9") | {"customer": f"127.0.0.1:{port}"}
    await server.stop(None)
