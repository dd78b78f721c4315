"""REST for every RPC: a request is answered by the service whose contract has its path."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc
from opentelemetry.trace import StatusCode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.auth.tokens import Verifier
from chassis.context import current_call
from chassis.errors import Refusal
from chassis.grpc import status
from chassis.grpc.admission import Admission
from chassis.grpc.client import Channels, deadline
from chassis.telemetry import tracing
from chassis.telemetry.metrics import RPC_DURATION
from desk.edge import problems, reading, transcoding, watching
from desk.edge.bindings import Binding, bindings

LONGEST_S = 30.0  # what services give a call at most
STREAM_S = 3600.0
AT_ONCE_BYTES = 32 * 1024  # larger messages take longer than everybody else should wait for
_OF_GRPC = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"}  # reasons that no service has
T = TypeVar("T")
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Rest:
    """Answers requests by calling RPCs as whoever asks.

    Args:
        channels: to the services, without an identity of their own.
        verifier: tells who asks.
        timeout_s: how long a call may take that does not say.
        draining: set when the desk stops: streams end.
    """

    def __init__(
        self, channels: Channels, verifier: Verifier, timeout_s: float, draining: asyncio.Event
    ) -> None:
        self._channels = channels
        self._admission = Admission(verifier, {})  # what one may, services say
        self._timeout_s = timeout_s
        self._draining = draining
        self._room = reading.Room()
        self._apart = ThreadPoolExecutor(1, "transcoding")
        self._by_verb: dict[str, list[Binding]] = defaultdict(list)
        for binding in bindings():
            self._by_verb[binding.verb].append(binding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        traceparent = request.headers.get("traceparent", "")
        traceparent, sampled = tracing.decide(traceparent if reading.is_plain(traceparent) else "")
        try:
            headers = reading.headers_of(request)
            caller = await self._admission.recognise(headers)
            binding, ids = self._found(request)
        except Refusal as unheard:
            await _refused(unheard, traceparent, request)(scope, receive, send)
            return
        method, began, code = binding.full_name[1:], time.perf_counter(), "CANCELLED"
        try:
            with tracing.server_span(method, traceparent) if sampled else tracing.NOTHING as span:
                traceparent = tracing.carried(traceparent)
                try:
                    current_call.set(reading.call_of(method, headers, caller, traceparent))
                    with self._room.for_one(caller.subject) as take:
                        response = await self._answer(request, headers, binding, ids, traceparent, take)
                    code = "OK"
                except ClientDisconnect:
                    raise
                except Exception as error:
                    refusal = _refusal(error, traceparent)
                    response, code = _refused(refusal, traceparent, request), refusal.code
                span.set_attribute("rpc.response.status_code", code)
                if code in status.SERVER_ERRORS:
                    span.set_status(StatusCode.ERROR)
                await response(scope, receive, send)
        except (ClientDisconnect, watching.SendTimeoutError):  # nobody reads any more
            code = "CANCELLED"
        finally:
            RPC_DURATION.observe((method, code), time.perf_counter() - began)

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
        traceparent: str,
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
        told = {**ALWAYS, "traceparent": traceparent}
        if streams:
            stream = channel.unary_stream(*how)(message, timeout=seconds)
            return await watching.answer(stream, self._draining, tracing.trace_id(traceparent), told)
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


def _refused(refusal: Refusal, traceparent: str, request: Request) -> Response:
    told = {**ALWAYS, "traceparent": traceparent}
    if isinstance(refusal, problems.MethodNotAllowed) and request.method == "OPTIONS":
        return Response(None, 204, told | {"Allow": refusal.metadata["allowed"]})
    if reading.may_be_long(request):  # or the rest of its body would be received, and thrown away
        told["Connection"] = "close"
    return problems.answer(refusal, tracing.trace_id(traceparent), told)


def _refusal(error: Exception, traceparent: str) -> Refusal:
    """What a service refused with, as it is; what gRPC says of a service that is not there, in our words."""
    if isinstance(error, grpc.aio.AioRpcError):
        told = status.refusal(error)
        if told.reason not in _OF_GRPC:
            return told
    return status.refusal_of(error, traceparent)
