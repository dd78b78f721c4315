"""REST for every RPC: the service whose contract has its path answers a request, or streams events."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.auth.tokens import Verifier
from chassis.context import current_call
from chassis.errors import Refusal
from chassis.grpc import status
from chassis.grpc.admission import recognise
from chassis.grpc.client import Channels, deadline
from chassis.telemetry import tracing
from desk.edge import answering, problems, reading, transcoding
from desk.edge.bindings import Binding, bindings
from desk.live.stream import AGAIN_MS, SEND_S, last

LONGEST_S = 30.0  # what services give a call at most
STREAM_S = 3600.0
AT_ONCE_BYTES = 32 * 1024  # larger messages take longer than everybody else should wait for
PING_S = 15
FIRST_S = 1.0  # in which the refusal of a stream gets a status of its own
T = TypeVar("T")
_Stream = AsyncGenerator[Message, None]


class Rest:
    """Answers requests by calling RPCs as whoever asks; for `timeout_s` each, unless they say how long."""

    def __init__(
        self, channels: Channels, verifier: Verifier, timeout_s: float, draining: asyncio.Event
    ) -> None:
        self._channels = channels
        self._verifier = verifier
        self._timeout_s = timeout_s
        self._draining = draining
        self._room = reading.Room()
        self._apart = ThreadPoolExecutor(1, "transcoding")
        self._by_verb: dict[str, list[Binding]] = defaultdict(list)
        for binding in bindings():
            self._by_verb[binding.verb].append(binding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            headers = reading.headers_of(request)
            caller = await recognise(self._verifier, headers)  # what one may, services say
            binding, ids = self._found(request)
        except Refusal as unheard:
            response = answering.refused(unheard, answering.decided(request)[0], request)
            await response(scope, receive, send)
            return
        method = binding.full_name[1:]

        async def work(told: dict[str, str]) -> Response:
            current_call.set(reading.call_of(method, headers, caller, told["traceparent"]))
            with self._room.for_one(caller.subject) as take:
                return await self._answer(request, headers, binding, ids, told, take)

        await answering.answer(method, request, send, work, closes=False)

    def _found(self, request: Request) -> tuple[Binding, Sequence[str]]:
        """The RPC of a request, and the values of the variables in its path."""
        path = request.scope["raw_path"].decode()  # an encoded slash is part of a name
        found = {}
        for verb, candidates in self._by_verb.items():
            for binding in candidates:
                match = binding.regex.fullmatch(path)
                if match and binding.service(path) in self._channels:
                    found[verb] = binding, [unquote(each) for each in match.groups()]
                    if verb == "GET" and not binding.method.server_streaming:
                        found["HEAD"] = found[verb]
        if request.method in found:
            return found[request.method]
        if found:
            raise problems.MethodNotAllowed(", ".join(sorted({*found, "OPTIONS"})))
        raise problems.PathNotFound()

    async def _answer(
        self,
        request: Request,
        headers: Mapping[str, str],
        binding: Binding,
        ids: Sequence[str],
        told: dict[str, str],
        take: Callable[[int], None],
    ) -> Response:
        """Read the request, call, and write the answer. Refusal, AioRpcError, TimeoutError."""
        streams = binding.method.server_streaming
        seconds = reading.seconds_of(
            headers, STREAM_S if streams else self._timeout_s, STREAM_S if streams else LONGEST_S
        )
        until = time.monotonic() + seconds
        async with asyncio.timeout(min(seconds, LONGEST_S)):
            body, query = await reading.body_of(request, take), reading.query_of(request)
            subject = current_call.get().principal.subject
            message = await self._do(
                len(body), transcoding.request, binding, ids, query, body, headers, subject
            )
        channel = self._channels.to(binding.service(request.scope["path"]))
        how = binding.full_name, binding.request.SerializeToString, binding.answer.FromString
        if streams:
            stream = channel.unary_stream(*how)(message, timeout=seconds)
            return await _streamed(stream, self._draining, tracing.trace_id(told["traceparent"]), told)
        deadline.set(until)
        trailing: dict[str, Any] = {}
        answered = await channel.unary_unary(*how)(message, timeout=seconds, trailing=trailing)
        if token := trailing.get("consistency-token"):
            told["Consistency-Token"] = token
        if etag := getattr(answered, "etag", ""):
            told["ETag"] = etag
        written = await self._do(answered.ByteSize(), transcoding.answer, answered)
        return Response(written, 200, told, "application/json")

    async def _do(self, size: int, work: Callable[..., T], *arguments: Any) -> T:
        """Read or write a message: a large one in a thread, one after the other, so that calls go on."""
        if size <= AT_ONCE_BYTES:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._apart, work, *arguments)


async def _streamed(
    stream: _Stream, draining: asyncio.Event, trace_id: str, headers: dict[str, str]
) -> Response:
    """The answer that goes on as long as the stream. AioRpcError when the stream begins with one."""
    first = asyncio.ensure_future(anext(stream, None))
    await asyncio.wait({first}, timeout=FIRST_S)
    if first.done() and isinstance(error := first.exception(), grpc.aio.AioRpcError):
        raise error
    events = _events(stream, first, draining, trace_id)
    return EventSourceResponse(events, headers=headers, ping=PING_S, send_timeout=SEND_S)


async def _events(
    stream: _Stream, following: "asyncio.Future[Message | None]", draining: asyncio.Event, trace_id: str
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
        yield last(AGAIN_MS, "problem", problems.problem(status.refusal(error), trace_id))
    finally:
        stopping.cancel()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await stream.aclose()
