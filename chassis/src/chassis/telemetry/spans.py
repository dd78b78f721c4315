"""A span as the SDK's processors and exporters take it, at a fraction of what the SDK's own costs to make.

That guards each attribute, as it comes, against other threads, other types and too much of it. Ours are made
by `chassis.telemetry.tracing` alone, in one thread, and limited once, when they end.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any

from opentelemetry import context, trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, Tracer
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

_FLAGS = TraceFlags(TraceFlags.SAMPLED)
_RANDOM = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


class Recorded(ReadableSpan, Span):
    """What is done in a `with` block of it: it is the current span there, and goes to the processor after.

    `parent` is None for a root. An exception leaves its type; who leaves by cancellation did nothing wrong.
    """

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue],
        parent: SpanContext | None,
        links: Sequence[Link],
    ) -> None:
        ids = tracer.id_generator
        if parent is None:
            trace_id, random = ids.generate_trace_id(), ids.is_trace_id_random()
        else:
            trace_id, random = parent.trace_id, parent.trace_flags.random_trace_id
        super().__init__(
            name,
            SpanContext(trace_id, ids.generate_span_id(), False, _RANDOM if random else _FLAGS),
            parent,
            tracer.resource,
            links=links,
            kind=kind,
            status=_UNSET,
            start_time=time.time_ns(),
            instrumentation_scope=tracer._instrumentation_scope,
        )
        self._tracer = tracer
        self._own = dict(attributes)
        self._attributes = self._own

    def __enter__(self) -> "Recorded":
        self._token: Token[Any] = context.attach(trace.set_span_in_context(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        context.detach(self._token)
        if error is not None:
            self._own["error.type"] = type(error).__qualname__
            if not isinstance(error, asyncio.CancelledError):  # the caller left: nothing is wrong here
                self._status = _ERROR
        self.end()

    def end(self, end_time: int | None = None) -> None:
        if not self.is_recording():
            return
        self._end_time = end_time or time.time_ns()
        limits = self._tracer._span_limits
        most, longest = limits.max_span_attributes, limits.max_span_attribute_length
        if longest is not None or (most is not None and len(self._own) > most):
            self._attributes = BoundedAttributes(most, self._own, max_value_len=longest)
        self._tracer.span_processor.on_end(self)

    def is_recording(self) -> bool:
        return self._end_time is None

    def get_span_context(self) -> SpanContext:
        held: SpanContext = self._context  # type: ignore[assignment]  # never None here
        return held

    def set_attribute(self, key: str, value: Any) -> None:
        if self.is_recording():
            self._own[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self.is_recording():
            self._own.update(attributes)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Without a description, which could be anything."""
        if self.is_recording():
            self._status = Status(status.status_code if isinstance(status, Status) else status)

    def update_name(self, name: str) -> None:
        if self.is_recording():
            self._name = name

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Nothing: events are not exported, for they hold messages of exceptions."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Nothing, as `add_event`."""
