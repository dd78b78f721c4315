"""How every request of a program is answered: traced, measured, and refused as problem+json."""

import time
from collections.abc import Awaitable, Callable

import grpc
from opentelemetry.trace import StatusCode
from sse_starlette.sse import SendTimeoutError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Send

from chassis.errors import Refusal
from chassis.grpc import status
from chassis.telemetry import tracing
from chassis.telemetry.metrics import RPC_DURATION
from desk.edge import problems, reading

ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_OF_GRPC = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"}  # reasons that no service has


def decided(request: Request) -> tuple[str, bool]:
    """The trace that a request belongs to, a `traceparent`, and whether it is recorded."""
    arrived = request.headers.get("traceparent", "")
    return tracing.decide(arrived if reading.is_plain(arrived) else "")


async def answer(
    method: str,
    request: Request,
    send: Send,
    work: Callable[[dict[str, str]], Awaitable[Response]],
    *,
    closes: bool = True,
) -> None:
    """Answer a call with what `work` makes, which is given the headers that each answer has.

    When it is refused, the connection is closed, unless told otherwise: nothing is left of its body then.
    """
    began, code = time.perf_counter(), "CANCELLED"
    traceparent, sampled = decided(request)
    try:
        with tracing.server_span(method, traceparent) if sampled else tracing.NOTHING as span:
            traceparent = tracing.carried(traceparent)
            try:
                response, code = await work({**ALWAYS, "traceparent": traceparent}), "OK"
            except ClientDisconnect:
                raise
            except Exception as error:
                refusal = _refusal(error, traceparent)
                response, code = refused(refusal, traceparent, request, closes=closes), refusal.code
            span.set_attribute("rpc.response.status_code", code)
            if code in status.SERVER_ERRORS:
                span.set_status(StatusCode.ERROR)
            await response(request.scope, request.receive, send)
    except (ClientDisconnect, SendTimeoutError):  # nobody reads any more
        code = "CANCELLED"
    finally:
        RPC_DURATION.labels(method, code).observe(time.perf_counter() - began)


def refused(refusal: Refusal, traceparent: str, request: Request, *, closes: bool = False) -> Response:
    told = {**ALWAYS, "traceparent": traceparent}
    if isinstance(refusal, problems.MethodNotAllowed) and request.method == "OPTIONS":
        return Response(None, 204, told | {"Allow": refusal.metadata["allowed"]})
    if closes or reading.may_be_long(request):  # or the rest of its body would be received, and thrown away
        told["Connection"] = "close"
    return problems.answer(refusal, tracing.trace_id(traceparent), told)


def _refusal(error: Exception, traceparent: str) -> Refusal:
    """What a service refused with, as it is; what gRPC says of a service that is not there, in our words."""
    if isinstance(error, grpc.aio.AioRpcError):
        told = status.refusal(error)
        if told.reason not in _OF_GRPC:
            return told
    return status.refusal_of(error, traceparent)
