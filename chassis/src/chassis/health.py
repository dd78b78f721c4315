"""Health, metrics and build information over HTTP, on a port of its own."""

import asyncio
import functools
import socket
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from prometheus_client import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

CONNECTION_S = 10.0
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

    async def metrics(_: Request) -> Response:
        """Prometheus metrics, made in a thread: they are many."""
        made = await asyncio.to_thread(generate_latest, REGISTRY)
        return Response(made, headers={"content-type": CONTENT_TYPE_LATEST})

    async def info(_: Request) -> Response:
        """What is running."""
        own, chassis = version(f"rapport-{service}"), version("rapport-chassis")
        return JSONResponse({"service": service, "version": own, "chassis": chassis})

    served = {"/health/live": live, "/health/ready": readiness, "/metrics": metrics, "/info": info}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in served.items()])


class _Connection(H11Protocol):
    """A connection that ends by itself, and that makes room when there are too many.

    Whoever asks is answered in milliseconds. uvicorn alone would wait for ever for a request that is begun
    and never ended, or never begun. The oldest goes first: so a probe gets in, however many keep places.
    """

    def __init__(self, others: dict["_Connection", None], **how: Any) -> None:
        super().__init__(**how)
        self._others = others

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        super().connection_made(transport)
        self._end = asyncio.get_running_loop().call_later(CONNECTION_S, transport.abort)
        self._others[self] = None
        if len(self._others) > CONNECTIONS_MAX:
            oldest = next(iter(self._others))
            del self._others[oldest]
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end.cancel()
        self._others.pop(self, None)
        super().connection_lost(exc)


class HealthServer:
    """Serves the health app in the service's own event loop.

    uvicorn's server is for a process of its own: it looks ten times a second whether it is to end, and takes
    the signals that the service drains upon.
    """

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._address = host, port
        self._config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._state = ServerState()
        self._connections: dict[_Connection, None] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. OSError when the port is taken."""
        self._config.load()
        connection: Any = functools.partial(
            _Connection, self._connections, config=self._config, server_state=self._state, app_state={}
        )
        listening = socket.create_server(self._address, backlog=64)
        self._server = await asyncio.get_running_loop().create_server(connection, sock=listening)

    async def close(self) -> None:
        """Stop listening, and answer who has asked."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=ANSWER_S)
