"""Serving pages and REST, of a service that has them, in its own event loop."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from chassis.connections import connections

BACKLOG = 1024
CONNECTIONS_MAX = 4096
IDLE_S = 15  # a connection without a request
REQUEST_S = 30.0  # for a request to come, from its first byte to its last


class WebServer(uvicorn.Server):
    """An ASGI application on a port, without the signals: the service drains upon those."""

    def __init__(self, site: ASGIApp, host: str, port: int) -> None:
        """Listen. OSError when the port is taken."""
        self._socket = socket.create_server((host, port), backlog=BACKLOG)
        config = uvicorn.Config(
            site,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            http=connections(_most(), REQUEST_S),  # type: ignore[arg-type]  # what makes one does as well
            timeout_keep_alive=IDLE_S,
            reset_contextvars=True,  # a request that follows another at once would inherit its deadline
        )
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the service."""
        yield

    async def run(self) -> None:  # type: ignore[override]
        """Serve until `stop`."""
        try:
            await self.serve(sockets=[self._socket])
        finally:
            self._ended.set()
        await asyncio.Event().wait()  # a part of a service ends with the service

    async def stop(self, grace_s: float) -> None:
        """Take no more requests; those in hand get `grace_s` to end, and streams are told to."""
        self.config.timeout_graceful_shutdown = int(grace_s)
        self.should_exit = True
        await self._ended.wait()


def _most() -> int:
    """How many connections: half of the files that this process may open are for all else it does."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, files // 2)
