"""The messages of a stream as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import Message
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from chassis.grpc.status import refusal
from desk.edge import problems, transcoding
from desk.live.stream import AGAIN_MS, SEND_S, last

PING_S = 15
FIRST_S = 1.0  # in which a refusal gets a status of its own
Stream = AsyncGenerator[Message, None]


async def answer(stream: Stream, draining: asyncio.Event, trace_id: str, headers: dict[str, str]) -> Response:
    """The answer that goes on as long as the stream. AioRpcError when the stream begins with one."""
    first = asyncio.ensure_future(anext(stream, None))
    await asyncio.wait({first}, timeout=FIRST_S)
    if first.done() and isinstance(error := first.exception(), grpc.aio.AioRpcError):
        raise error
    events = _events(stream, first, draining, trace_id)
    return EventSourceResponse(events, headers=headers, ping=PING_S, send_timeout=SEND_S)


async def _events(
    stream: Stream, following: "asyncio.Future[Message | None]", draining: asyncio.Event, trace_id: str
) -> AsyncIterator[ServerSentEvent]:
    """An event for each message; the last is named `farewell`, or `problem` for a refusal."""
    stopping = asyncio.ensure_future(draining.wait())
    try:
        while True:
            waited: set[asyncio.Future[Any]] = {following, stopping}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() or (message := following.result()) is None:
                break
            yield ServerSentEvent(transcoding.answer(message).decode())
            following = asyncio.ensure_future(anext(stream, None))
        yield last(AGAIN_MS)
    except grpc.aio.AioRpcError as error:
        yield last(AGAIN_MS, "problem", problems.problem(refusal(error), trace_id))
    finally:
        stopping.cancel()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await stream.aclose()
