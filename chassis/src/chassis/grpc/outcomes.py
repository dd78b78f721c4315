"""How an answer ends: with bytes, or with the refusal that an error stands for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from opentelemetry.trace import StatusCode

from chassis.errors import Refusal
from chassis.grpc.status import SERVER_ERRORS, refusal_of
from chassis.telemetry import tracing

Metadata = Mapping[str, str]
Answer = Callable[[Any, Metadata, str], Awaitable[bytes | None]]


async def settled(
    answer: Answer, context: Any, metadata: Metadata, traceparent: str
) -> bytes | Refusal | None:
    """The answer, or why there is none."""
    try:
        return await answer(context, metadata, traceparent)
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        return refusal_of(error, traceparent)


async def traced(
    name: str, arrived: str, answer: Answer, context: Any, metadata: Metadata
) -> tuple[bytes | Refusal | None, str]:
    """The same within a span, and the id of its trace."""
    with tracing.server_span(name, arrived) as span:
        traceparent = tracing.traceparent()
        outcome = await settled(answer, context, metadata, traceparent)
        code = outcome.code if isinstance(outcome, Refusal) else "OK"
        span.set_attribute("rpc.response.status_code", code)
        if code in SERVER_ERRORS:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", code)
        return outcome, tracing.trace_id(traceparent)
