"""HTTP connections that end when nobody asks on them, and of which there are never too many."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

Kept = dict["Connection", None]


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
        """Begin."""
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
        """Go on with the answer."""
        super().resume_writing()
        self._answer_what_is_whole()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
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


def connections(most: int, request_s: float) -> Callable[..., asyncio.Protocol]:
    """What makes the connections of one server.

    Args:
        most: how many there are at once.
        request_s: in which a request comes, whole, from its first byte; and its answer is read.
    """
    return functools.partial(Connection, {}, most, request_s)
