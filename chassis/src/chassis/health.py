"""Health, metrics and build information over HTTP, on a port of its own."""

import asyncio
import functools
import socket
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from chassis.connections import connections

CONNECTION_S = 10.0  # whoever asks is answered in milliseconds
CONNECTIONS_MAX = 256
ANSWER_S = 1.0


def health_app(service: str, ready: Callable[[], list[str]], warnings: Callable[[], list[str]]) -> Starlette:
    """The HTTP endpoints of a service.

    Args:
        service: its name.
        ready: what keeps the service from being ready, in words; empty means ready.
        warnings: what a person should look at although it serves, in words.
    """

    async def live(_: Request) -> Response:
        """Answers as long as the event loop turns. Depends on nothing else: no outage restarts every pod."""
        return JSONResponse({"status": "SERVING"})

    async def readiness(_: Request) -> Response:
        """Whether the service should get requests, and if not, why not."""
        problems = ready()
        status = "NOT_SERVING" if problems else "SERVING"
        told = {"status": status, "problems": problems, "warnings": warnings()}
        return JSONResponse(told, status_code=503 if problems else 200)

    async def metrics(request: Request) -> Response:
        """Prometheus metrics, made in a thread: they are many. With exemplars for who takes OpenMetrics."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        made = await asyncio.to_thread(encode, REGISTRY)
        return Response(made, headers={"content-type": content_type})

    async def info(_: Request) -> Response:
        """What is running."""
        own, chassis = version(f"rapport-{service}"), version("rapport-chassis")
        return JSONResponse({"service": service, "version": own, "chassis": chassis})

    served = {"/health/live": live, "/health/ready": readiness, "/metrics": metrics, "/info": info}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in served.items()])


class HealthServer:
    """Serves the health app in the service's own event loop.

    uvicorn's server is for a process of its own: it looks ten times a second whether it is to end, and takes
    the signals that the service drains upon.
    """

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._address = host, port
        self._config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. OSError when the port is taken."""
        self._config.load()
        connection: Any = functools.partial(
            connections(CONNECTIONS_MAX, CONNECTION_S),
            config=self._config,
            server_state=self._state,
            app_state={},
        )
        listening = socket.create_server(self._address, backlog=64)
        self._server = await asyncio.get_running_loop().create_server(connection, sock=listening)

    async def close(self) -> None:
        """Stop listening, and answer who has asked."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=ANSWER_S)
