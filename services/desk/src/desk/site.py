"""What the desk serves to programs: every RPC below `/v1/`, and what describes it."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.grpc.client import Channels
from desk.edge import openapi
from desk.edge.rest import Rest


def site(channels: Channels, timeout_s: float, draining: asyncio.Event) -> ASGIApp:
    """The whole of it. What is no page is an RPC's path, or nobody's."""
    rest = Rest(channels, timeout_s, draining)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        described = (scope["method"], scope["path"]) == ("GET", "/openapi.json")
        await (openapi.answer() if described else rest)(scope, receive, send)

    return serve
