"""What surrounds every RPC: deadline, telemetry, authentication, permission, decoding and error mapping.

One interceptor, whose wrapped handlers are made once for each method: a chain would cost more than the work.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from chassis.api.checks import Look
from chassis.auth.permissions import further
from chassis.auth.tokens import Verifier, expired
from chassis.clock import Clock
from chassis.context import Call, Principal, current_call
from chassis.errors import InvalidArgument, Refusal, invalid, response_too_large
from chassis.grpc import admission, bounds
from chassis.grpc.client import deadline
from chassis.grpc.open_methods import PREFIXES, OpenMethods
from chassis.grpc.readings import Readings
from chassis.grpc.status import Answer, Metadata, Unimplemented, settled, status, traced
from chassis.telemetry import tracing
from chassis.timeouts import Timeouts

# Deadlines are shaved so that the caller, whose time runs out last, gets our error and not its own.
SHAVE_S = 0.02
LONGEST_S = 30.0  # what a unary call gets at most, whatever its caller allows

Behaviour = Callable[[Any, Any], Any]
Reader = Callable[[bytes, Metadata, str], Any]

_caller: ContextVar[Principal] = ContextVar("caller")
_metadata: ContextVar[Metadata] = ContextVar("metadata")


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """Wraps the handlers of a service, each method's with its permission and checks, by full method name.

    Errors have the domain `<service>.rapport`. What is late or early goes by the clock.
    """

    def __init__(
        self,
        service: str,
        verifier: Verifier,
        permissions: Mapping[str, str],
        checks: Mapping[str, Look],
        clock: Clock,
        readings: Readings,
    ) -> None:
        self.domain = f"{service}.rapport"
        self._verifier, self._permissions = verifier, permissions
        self._checks, self._clock = checks, clock
        self._readings = readings
        self._receiving, self._in_flight = bounds.Receiving(), bounds.CallsInFlight()
        self._open_streams = bounds.streams()
        self._open_methods = OpenMethods(self.domain)
        self._calls, self._streams = Timeouts(), Timeouts()
        self._draining = False
        self._arrived = 0
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._guarded: set[str] = set()

    async def quiet(self, pause_s: float, most_s: float) -> None:
        """Wait until no call has come for `pause_s` seconds; at most `most_s`."""
        for _ in range(round(most_s / pause_s)):
            before = self._arrived
            await asyncio.sleep(pause_s)
            if self._arrived == before:
                return

    def drain(self) -> None:
        """End the streams under way: their callers open new ones elsewhere. Unary calls may finish."""
        self._draining = True
        self._streams.end()
        self._open_methods.drain()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler to run: the wrapped one, for who may call it.

        Nothing of the request has been received here. Who is refused here costs the size of their headers.
        """
        method = details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(details)
            wrapped = self._wrap(method, handler)
            if handler is not None:  # what strangers make up is not remembered
                self._wrapped[method] = wrapped
        if method not in self._guarded:  # open to all, or not served
            return wrapped
        self._arrived += 1
        pairs: Any = details.invocation_metadata or ()
        _metadata.set(dict(pairs))
        try:
            principal = await admission.recognise(self._verifier, admission.unambiguous(pairs))
            _caller.set(principal)
            admission.require(principal, self._permissions[method])
            self._in_flight.check(principal.caller)
        except Exception as error:
            return self._refusing(method, error)
        return wrapped

    def _wrap(self, method: str, handler: Any) -> Any:
        """To gRPC the request is always a stream: it comes when it is read, and who reads can give up."""
        if handler is not None and method.startswith(PREFIXES):
            return self._open_methods.wrap(handler)
        if handler is None or method not in self._permissions:
            return self._unimplemented(method)
        if handler.unary_unary is not None and inspect.iscoroutinefunction(handler.unary_unary):
            self._guarded.add(method)
            return grpc.stream_unary_rpc_method_handler(self._unary(method, handler))
        if handler.unary_stream is not None and inspect.isasyncgenfunction(handler.unary_stream):
            self._guarded.add(method)
            return grpc.stream_stream_rpc_method_handler(self._stream(method, handler))
        return self._unimplemented(method)

    def _unimplemented(self, method: str) -> Any:
        refused = status(Unimplemented(method), self.domain)

        async def refuse(_: Any, context: Any) -> None:
            await context.abort_with_status(refused)

        return grpc.stream_stream_rpc_method_handler(refuse)

    def _refusing(self, method: str, error: Exception) -> Any:
        """A handler that refuses without a look at the request: a stream that is not read is not received."""

        async def refuse(*_: Any) -> None:
            raise error

        return grpc.stream_stream_rpc_method_handler(self._outermost(method, refuse))

    def _unary(self, method: str, handler: Any) -> Behaviour:
        behaviour, encode = handler.unary_unary, handler.response_serializer
        request_of = self._reader(method, handler.request_deserializer)
        noted = self._readings.of(method)

        async def answer(context: Any, metadata: Metadata, traceparent: str) -> bytes:
            raw = await self._received(context)
            caller, size = _caller.get().caller, len(raw)
            self._in_flight.begin(caller, size)
            try:
                seconds = min(_seconds_left(context), LONGEST_S)
                deadline.set(time.monotonic() + seconds)
                with self._calls.limit(seconds - SHAVE_S):
                    request = request_of(raw, metadata, traceparent)
                    response = await behaviour(request, context)
                if noted is not None:
                    noted(request, response)
            finally:
                self._in_flight.end(caller, size)
            encoded = response if type(response) is bytes else encode(response)
            if len(encoded) > bounds.MESSAGE_MAX_BYTES:
                raise response_too_large()
            return encoded

        return self._outermost(method, answer)

    def _stream(self, method: str, handler: Any) -> Behaviour:
        behaviour, encode = handler.unary_stream, handler.response_serializer
        request_of = self._reader(method, handler.request_deserializer)

        async def answer(context: Any, metadata: Metadata, traceparent: str) -> None:
            noted = self._readings.of(method)
            until = time.monotonic() + _seconds_left(context)
            deadline.set(until)
            raw = await self._received(context)
            if len(raw) > bounds.STREAM_REQUEST_MAX_BYTES:
                raise invalid(
                    "", "TOO_LONG", f"the request must be of at most {bounds.STREAM_REQUEST_MAX_BYTES} bytes"
                )
            with self._open_streams.held(_caller.get().caller):
                request = request_of(raw, metadata, traceparent)
                async with aclosing(behaviour(request, context)) as responses:
                    while (response := await self._next(responses, until)) is not None:
                        if noted is not None:
                            noted(request, response)
                            noted = None
                        # For as long as the token lives, and the key that signed it.
                        await admission.recognise(self._verifier, metadata)
                        # Outside of the limit: a write that is cancelled breaks the stream, not ends it.
                        await context.write(response if type(response) is bytes else encode(response))

        return self._outermost(method, answer)

    async def _received(self, context: Any) -> bytes:
        """The request, once it is its turn. OVERLOADED."""
        received = await self._receiving.next(context, _caller.get().caller)
        if not isinstance(received, bytes):  # the caller closed without asking
            raise _malformed()
        return received

    async def _next(self, responses: AsyncGenerator[Any, None], until: float) -> Any:
        """The stream's next message, None after the last.

        Unavailable (`DRAINING`) when the server stops, Unauthenticated (`TOKEN_EXPIRED`) with the token.
        """
        token_s = _caller.get().expires_at - time.time()
        left_s = until - SHAVE_S - time.monotonic()
        try:
            if not self._draining:
                with self._streams.limit(min(left_s, token_s)):
                    return await anext(responses, None)
        except TimeoutError:
            if not self._draining:
                if token_s < left_s:
                    raise expired(admission.AUTHORIZATION) from None
                raise
        raise bounds.draining()

    def _reader(self, method: str, decode: Any) -> Reader:
        """From the bytes to the request, checked, and to the call that is under way."""
        name = method[1:]
        descriptor = decode.__self__.DESCRIPTOR
        has_request_id = "request_id" in descriptor.fields_by_name
        needed, look = further(descriptor), self._checks[method]
        naming = admission.naming(descriptor)

        def read(raw: bytes, metadata: Metadata, traceparent: str) -> Any:
            try:
                request = decode(raw)
            except DecodeError:
                raise _malformed() from None
            if needed is not None:
                for permission in needed(request):
                    admission.require(_caller.get(), permission)
            if wrong := look(request, self._clock.now()):
                raise InvalidArgument(wrong)
            tracing.name_subjects(getattr(request, field) for field in naming)
            request_id = request.request_id if has_request_id else ""
            current_call.set(
                Call(
                    name, _caller.get(), request_id, None, admission.correlation_id(metadata), traceparent,
                    admission.purpose(metadata), admission.credential(metadata),
                )
            )  # fmt: skip
            return request

        return read

    def _outermost(self, method: str, answer: Answer) -> Behaviour:
        """Telemetry and error mapping around `answer`."""
        name = method[1:]

        async def handle(_: Any, context: Any) -> bytes | None:
            began = time.perf_counter()
            code, trace = "CANCELLED", ""
            try:
                metadata = _metadata.get()
                arrived = metadata.get("traceparent", "")
                carried, sampled = tracing.decide(arrived)
                if sampled:
                    outcome, trace = await traced(name, arrived, answer, context, metadata)
                else:
                    outcome = await settled(answer, context, metadata, carried)
                if isinstance(outcome, Refusal):
                    outcome = self._readings.refused(outcome)
                code = outcome.code if isinstance(outcome, Refusal) else "OK"
            finally:
                admission.note(_caller.get(None), name, code, time.perf_counter() - began, trace)
            if not isinstance(outcome, Refusal):
                return outcome
            await context.abort_with_status(status(outcome, self.domain))
            raise AssertionError("abort_with_status raises")

        return handle


def _seconds_left(context: Any) -> float:
    seconds: float | None = context.time_remaining()
    if seconds is None:
        raise invalid("deadline", "DEADLINE_REQUIRED", "must be set: pass a timeout with every call")
    return seconds


def _malformed() -> Refusal:
    return invalid("", "MALFORMED_REQUEST", "the body must be a valid protobuf message with UTF-8 text")
