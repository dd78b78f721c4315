"""ECHO: a unary grpc.aio call on uvloop that does nothing, the floor of the stack that every ratio refers to."""

import asyncio
import sys

import grpc
import uvloop

METHOD = "/bench.Echo/Call"


async def _serve(port: int) -> None:
    async def call(request: bytes, context: object) -> bytes:
        return b""

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(call)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(_serve(int(sys.argv[1])))
