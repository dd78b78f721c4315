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
TICK_S = 0.1  # how often uvicorn wants to be told that time has passed
LOOK_S = 0.01  # how soon it is noticed that the last request has ended


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
        self._stopping, self._ended = asyncio.Event(), asyncio.Event()

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
        self._stopping.set()
        await self._ended.wait()

    async def main_loop(self) -> None:
        """Serve, until `stop`: uvicorn's own would notice that a tick later."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is in hand end: uvicorn's own waits a tick for it where there is nothing, too."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()


def _most() -> int:
    """How many connections: half of the files that this process may open are for all else it does."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, files // 2)
