"""ECHO: a unary grpc.aio call on uvloop that does nothing, the floor of the stack that ratios refer to.

It answers every method, so that it also serves as a collector that throws spans away.
"""

import asyncio
import os
from typing import Any

import grpc
import uvloop

METHOD = "/bench.Echo/Call"


async def _call(request: bytes, context: object) -> bytes:
    return b""


class _Everything(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    _handler = grpc.unary_unary_rpc_method_handler(_call)

    def service(self, handler_call_details: object) -> Any:
        return self._handler


async def _serve(port: int) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Everything(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(_serve(int(os.environ["RAPPORT_GRPC_PORT"])))
