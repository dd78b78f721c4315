"""What the desk serves: to programs every RPC below `/v1/` and what describes it, to people pages."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.grpc.client import Channels
from desk.edge import openapi
from desk.edge.rest import Rest

OF_PROGRAMS = ("/v1/", "/openapi.json")


def site(channels: Channels, timeout_s: float, draining: asyncio.Event, pages: ASGIApp) -> ASGIApp:
    """The whole of it: a token asks REST, a cookie sees pages, and neither opens the other."""
    rest = Rest(channels, timeout_s, draining)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(OF_PROGRAMS):
            answers = pages
        elif (scope["method"], scope["path"]) == ("GET", "/openapi.json"):
            answers = openapi.answer()
        else:
            answers = rest
        await answers(scope, receive, send)

    return serve
