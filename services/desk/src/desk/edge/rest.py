"""REST for every RPC: a request is answered by the service whose contract has its path."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from opentelemetry.trace import StatusCode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.context import current_call
from chassis.errors import Refusal
from chassis.grpc import status
from chassis.grpc.admission import AUTHORIZATION
from chassis.grpc.client import Channels, deadline
from chassis.telemetry import tracing
from chassis.telemetry.metrics import RPC_DURATION
from desk.edge import problems, reading, transcoding, watching
from desk.edge.bindings import Binding, bindings

LONGEST_S = 30.0  # what services give a call at most
STREAM_S = 3600.0
_OF_GRPC = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"}  # reasons that no service has
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Rest:
    """Answers requests by calling RPCs as whoever asks.

    Args:
        channels: to the services, without an identity of their own.
        timeout_s: how long a call may take that does not say.
        draining: set when the desk stops: streams end.

    """

    def __init__(self, channels: Channels, timeout_s: float, draining: asyncio.Event) -> None:
        self._channels = channels
        self._timeout_s = timeout_s
        self._draining = draining
        self._room = reading.Room()
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
            binding, ids = self._found(request)
        except Refusal as unheard:
            await _refused(unheard, traceparent, request)(scope, receive, send)
            return
        method, began, code = binding.full_name[1:], time.perf_counter(), "CANCELLED"
        try:
            with tracing.server_span(method, traceparent) if sampled else tracing.NOTHING as span:
                traceparent = tracing.carried(traceparent)
                try:
                    current_call.set(reading.call_of(method, headers, traceparent))
                    with self._room.for_one(headers[AUTHORIZATION]) as take:
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
        path, allowed = request.scope["path"], set()
        for verb, candidates in self._by_verb.items():
            for binding in candidates:
                if match := binding.regex.fullmatch(path):
                    if verb == request.method and binding.service(path) in self._channels:
                        return binding, match.groups()
                    allowed.add(verb)
        if allowed - {request.method}:
            raise problems.MethodNotAllowed(", ".join(sorted(allowed)))
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
        body = await reading.body_of(request, min(seconds, LONGEST_S), take)
        message = transcoding.request(binding, ids, reading.query_of(request), body, headers)
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
        return Response(transcoding.answer(answered), 200, told, "application/json")


def _refused(refusal: Refusal, traceparent: str, request: Request) -> Response:
    told = {**ALWAYS, "traceparent": traceparent}
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
