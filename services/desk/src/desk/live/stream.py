"""Server-sent events of a page: several sources in one stream, with a beat and a farewell."""

import asyncio
import json
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

BEAT_S = 15  # a reader that hears nothing for two of these and a half says so
LASTS_S = 300  # then whoever looks is looked up anew: a session may have ended
SEND_S = 30.0
AGAIN_MS = (500, 5500)  # when a reader comes back: not all of them at once
CROWDED_MS = (20_000, 40_000)  # when a reader comes back for whom there is no seat
WAITING_MAX = 100
# For one person at one replica: each reader costs calls to every service whenever something changes.
SEATS = 20
SIGNED_OUT = "signed-out"  # ends a stream: whoever looked may look no more

# Debugging, it would log what it sends: customers.
_log = structlog.get_logger()
logging.getLogger("sse_starlette").setLevel(logging.INFO)


@dataclass(frozen=True)
class Told:
    """Something for the page: what kind, and its JSON."""

    kind: str
    data: Any


def answer(
    sources: Sequence[AsyncIterator[Told]], seat: AbstractContextManager[bool], draining: asyncio.Event
) -> Response:
    """The stream of everything that the sources tell, each until the stream ends, or by itself.

    The seat is taken while it lasts; without one, the reader is told to come back much later. `draining` is
    set when the desk stops.
    """
    return EventSourceResponse(_events(sources, seat, draining), ping=3600, send_timeout=SEND_S)


async def _events(
    sources: Sequence[AsyncIterator[Told]], seat: AbstractContextManager[bool], draining: asyncio.Event
) -> AsyncIterator[ServerSentEvent]:
    with seat as is_free:
        if not is_free:
            yield last(CROWDED_MS)
            return
        queue: asyncio.Queue[Told] = asyncio.Queue(WAITING_MAX)
        telling = [asyncio.ensure_future(_into(queue, each)) for each in sources]
        stopping = asyncio.ensure_future(draining.wait())
        until = time.monotonic() + LASTS_S * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
        following = asyncio.ensure_future(queue.get())
        try:
            yield _event("beat", {})
            while not stopping.done() and not any(map(_failed, telling)) and time.monotonic() < until:
                if not following.done():
                    await asyncio.wait(
                        {following, stopping}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED
                    )
                if following.done():
                    told, following = following.result(), asyncio.ensure_future(queue.get())
                    yield _event(told.kind, told.data)
                    if told.kind == SIGNED_OUT:
                        return
                elif not stopping.done():
                    yield _event("beat", {})
            yield last(AGAIN_MS)
        finally:
            for task in (*telling, stopping, following):
                task.cancel()
            await asyncio.gather(*telling, stopping, following, return_exceptions=True)


def _failed(source: "asyncio.Future[None]") -> bool:
    """Whether a source ended otherwise than by itself: beats would go on, and nothing more be told."""
    if not source.done() or source.cancelled() or (error := source.exception()) is None:
        return False
    _log.warning("a source of a stream failed; the reader comes back", error=type(error).__name__)
    return True


async def _into(queue: "asyncio.Queue[Told]", source: AsyncIterator[Told]) -> None:
    async for told in source:
        await queue.put(told)


def last(again_ms: tuple[int, int], kind: str = "farewell", data: Any = {}) -> ServerSentEvent:  # noqa: B006
    """The last event: when to come back, and why it is over."""
    return _event(kind, data, random.randint(*again_ms))  # noqa: S311 - no secret


def _event(kind: str, data: Any, again_ms: int | None = None) -> ServerSentEvent:
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return ServerSentEvent(told, event=kind, retry=again_ms)


class Readers:
    """Who reads streams now."""

    def __init__(self) -> None:
        self._reading: Counter[str] = Counter()

    @contextmanager
    def seat(self, person: str) -> Iterator[bool]:
        """Whether there is a seat for another reader of `person`; then it is theirs in the block."""
        if self._reading[person] >= SEATS:
            yield False
            return
        self._reading[person] += 1
        try:
            yield True
        finally:
            self._reading[person] -= 1
            self._reading += Counter()  # who reads no more is forgotten
