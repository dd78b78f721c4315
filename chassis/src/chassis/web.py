"""Serving HTTP in the service's own event loop, on connections that end when nobody asks on them.

uvicorn's own server is for a process of its own: it looks ten times a second whether it is to end, and takes
the signals that the service drains upon.
"""

import asyncio
import functools
import math
import resource
import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

BACKLOG = 1024
CONNECTIONS_MAX = 4096
REQUEST_S = 30.0  # for a request to come, from its first byte to its last; half of that between two requests
DATE_EVERY_S = 1.0
LOOK_S = 0.01  # how soon it is noticed that the last request has ended

Kept = dict["Connection", None]


async def body_of(
    request: Request, most: int, take: Callable[[int], None] = lambda size: None
) -> bytes | None:
    """A body of at most so many bytes, of each part of which `take` hears; None for a larger one.

    ClientDisconnect; whatever `take` raises.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
        take(len(chunk))
    return bytes(body)


class Connection(H11Protocol):
    """A connection that waits so long for a request, and makes room when there are too many.

    uvicorn alone limits only how long a connection stays idle between two requests. For a request that is
    never begun, or begun and never ended, or whose answer is never read, it would wait for ever. Who has
    waited longest goes first: so whoever asks gets in, however many keep places.
    """

    def __init__(self, waiting: Kept, most: int, request_s: float, **how: Any) -> None:
        super().__init__(**how)
        self._waiting, self._most, self._request_s = waiting, most, request_s
        self._is_begun = False
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self._most:
            oldest = next(iter(self._waiting))  # this one, when all others are being answered
            oldest._wait_no_longer()
            self.connections.discard(oldest)
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Go on with a request. It has its time from its first byte."""
        if not self._is_begun:
            self._is_begun = True
            self._wait()
        super().data_received(data)
        self._answer_what_is_whole()

    def on_response_complete(self) -> None:
        """Wait for the rest of a request that was answered early, until the answer is read, for the next."""
        super().on_response_complete()
        self._is_begun = False
        self._wait()
        self._answer_what_is_whole()

    def pause_writing(self) -> None:
        """Wait until some of the answer is read."""
        super().pause_writing()
        if self not in self._waiting:  # a request that is still coming gets no more time by this
            self._wait()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._answer_what_is_whole()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_longer()
        super().connection_lost(exc)

    def _answer_what_is_whole(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body:
            self._wait_no_longer()

    def _wait(self) -> None:
        self._wait_no_longer()
        self._end = asyncio.get_running_loop().call_later(self._request_s, self.transport.abort)
        self._waiting[self] = None

    def _wait_no_longer(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._waiting.pop(self, None)


class WebServer:
    """An ASGI application on a port. OSError when that is taken.

    Of `most` connections at once, each has `request_s` for a request to come, whole, from its first byte; and
    for its answer to be read.
    """

    def __init__(self, site: ASGIApp, host: str, port: int, most: int = 0, request_s: float = 0) -> None:
        self._bounds = most or _most(), request_s or REQUEST_S
        self._config = uvicorn.Config(
            site,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_keep_alive=math.ceil(self._bounds[1] / 2),
            reset_contextvars=True,  # a request that follows another at once would inherit its deadline
        )
        self._state = ServerState()
        self._socket = socket.create_server((host, port), backlog=BACKLOG)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._config.load()
        connection: Any = functools.partial(
            Connection, {}, *self._bounds, config=self._config, server_state=self._state, app_state={}
        )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(connection, sock=self._socket, backlog=BACKLOG)

    async def run(self) -> None:
        """Answer until cancelled, each time with the date."""
        await self.open()
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            await asyncio.sleep(DATE_EVERY_S)

    async def stop(self, grace_s: float) -> None:
        """Take no more requests; those in hand get `grace_s` to end."""
        (self._server or self._socket).close()
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(grace_s):
                while self._state.connections or self._state.tasks:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            for task in self._state.tasks:
                task.cancel()


def _most() -> int:
    """How many connections: half of the files that this process may open are for all else it does."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, files // 2)
