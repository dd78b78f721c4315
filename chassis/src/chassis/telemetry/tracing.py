"""Spans, decided before the SDK is touched: work that is not sampled costs a comparison and no object.

Every unit of work carries a W3C trace context, sampled or not, so that logs, errors and audit rows name its
trace and the next service follows the decision of the first. Spans hold names, codes and placeholders only:
an exception leaves its type, never its message; attributes outside of `exporting.ALLOWED` are not exported.
"""

import os
import random
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import AttributeValue

from chassis.context import current_call
from chassis.telemetry import exporting
from chassis.telemetry.spans import Recorded

STALE_AFTER_S = 300.0  # a replayed event starts a trace of its own, or traces would grow for days
SHUTDOWN_S = 3.0  # what an unreachable collector may hold a process up

_TRACEPARENT = re.compile(
    r"(?:00(?!.{54})|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_SUBJECTS = {"customers": "rapport.customer", "cases": "rapport.case"}
_SUBJECT = re.compile(r"(customers|cases)/[0-9a-f]{8}-[0-9a-f-]{27}(?![^/])")
NOTHING: AbstractContextManager[Span] = nullcontext(trace.INVALID_SPAN)
_random = random.Random()  # noqa: S311 - trace ids are not secrets
os.register_at_fork(after_in_child=_random.seed)  # or all services of a local stack would make the same
_provider: TracerProvider | None = None
_tracer: Tracer | None = None
_bound = 0  # a root is sampled when the low 64 bits of its trace id are below this


def setup(service: str) -> None:
    """Record spans as the OTEL_* variables say; none unless they name an OTLP endpoint."""
    processor = exporting.batches()
    if processor is not None:
        _install(exporting.provider(service, processor), exporting.ratio())


def shutdown() -> None:
    """Send what is left, for at most 3 seconds."""
    global _provider, _tracer
    if _provider is not None:
        closing = threading.Thread(target=_provider.shutdown, daemon=True)
        closing.start()
        closing.join(SHUTDOWN_S)
    _provider = _tracer = None


def decide(traceparent: str) -> tuple[str, bool]:
    """Decide whether work that arrived with this trace context ("" for none) is recorded.

    Returns the context to go on with, never empty, and the decision: the caller's where there is one. What
    versions to come may have behind it is left behind: it would be kept with each fact, and may be anything.
    """
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is not None:
        going_on = f"00-{match[1]}-{match[2]}-{match[3]}"
        return going_on, _tracer is not None and bool(int(match[3], 16) & 1)
    ids = _random.randbytes(24).hex()
    sampled = _tracer is not None and int(ids[16:32], 16) < _bound
    return f"00-{ids[:32]}-{ids[32:]}-{'01' if sampled else '00'}", sampled


def traceparent() -> str:
    """The trace context of the current span, or else of the current call; "" outside of both."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    call = current_call.get(None)
    return "" if call is None else call.traceparent


def carried(arrived: str = "") -> str:
    """The trace context that work goes on with: the current one, else as it `arrived`, else a new one."""
    return traceparent() or decide(arrived)[0]


def trace_id(traceparent: str) -> str:
    """The trace id in a trace context, 32 hex digits; "" when there is none."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return "" if match is None else match[1]


def name_resources(resources: Iterable[str]) -> None:
    """Name the resources that the current span is about, so that traces are found by them; at most 20."""
    span = trace.get_current_span()
    if span.is_recording():
        named = tuple(islice(resources, 20))
        span.set_attribute("rapport.resource", named)
        name_subjects(named)


def name_subjects(names: Iterable[str]) -> None:
    """Name the first customer and the first case among `names`, or above one of them in the hierarchy.

    Each by an attribute of its own: not every trace store finds what is in a list.
    """
    span = trace.get_current_span()
    if not span.is_recording():
        return
    found = [match for match in map(_SUBJECT.match, names) if match]
    for match in reversed(found):
        span.set_attribute(_SUBJECTS[match[1]], match[0])


def sql_span(statement: Any) -> AbstractContextManager[object]:
    """A span for one SQL statement, or several as one, of `chassis.db.statement`, within a recorded span."""
    if not trace.get_current_span().is_recording():
        return NOTHING
    attributes = {
        "db.system.name": "postgresql",
        "db.query.summary": statement.summary,
        "db.query.text": statement.sql,
        "db.operation.name": statement.summary.partition(" ")[0],
    }
    return _span(statement.name, SpanKind.CLIENT, attributes)


def client_span(name: str, attributes: Mapping[str, AttributeValue]) -> AbstractContextManager[Span]:
    """A span for a call to something else, another service or a mail server, within a recorded span."""
    if not trace.get_current_span().is_recording():
        return NOTHING
    return _span(name, SpanKind.CLIENT, attributes)


def server_span(method: str, traceparent: str) -> AbstractContextManager[Span]:
    """The span of an RPC that `decide` decided to record, `traceparent` as it arrived ("" for a root).

    `method` is `package.Service/Method`.
    """
    attributes = {"rpc.system.name": "grpc", "rpc.method": method}
    return _span(method, SpanKind.SERVER, attributes, parent=traceparent)


def publish_span(source: str, traceparents: Sequence[str]) -> AbstractContextManager[Span]:
    """The span of publishing a batch of outbox rows, linked to the traces that wrote them."""
    links = _links(traceparents)
    if not links:
        return NOTHING
    attributes = _messaging(source, "publish", "send") | {"messaging.batch.message_count": len(traceparents)}
    return _span(f"publish {source}", SpanKind.CLIENT, attributes, parent="", links=links)


def process_span(source: str, durable: str, traceparent: str, age_s: float) -> AbstractContextManager[Span]:
    """The span of handling one event of the service `source`, part of the trace that published it."""
    attributes = _messaging(source, "process", "process") | {"messaging.consumer.group.name": durable}
    return _continued(f"process {source}", SpanKind.CONSUMER, attributes, traceparent, age_s)


@contextmanager
def batch_span(source: str, durable: str, traceparents: Sequence[str]) -> Iterator[None]:
    """The span of handling a batch of events in one transaction.

    It is part of the trace that published them when they share one. Otherwise it is a trace of its own, and
    each of their traces gets a span that links to it, so that none of them ends at the broker.
    """
    recorded = {trace_id(parent): parent for parent in reversed(traceparents) if decide(parent)[1]}
    if not recorded:
        yield
        return
    attributes = _messaging(source, "process", "process") | {"messaging.consumer.group.name": durable}
    size = {"messaging.batch.message_count": len(traceparents)}
    parent = next(iter(recorded.values())) if len(recorded) == 1 else ""
    links = _links(list(recorded.values()))
    with _span(
        f"process {source}", SpanKind.CONSUMER, attributes | size, parent=parent, links=links
    ) as batch:
        yield
    if not parent:
        link = [Link(batch.get_span_context())]
        for each in recorded.values():
            with _span(f"process {source}", SpanKind.CONSUMER, attributes, parent=each, links=link):
                pass


def timer_span(kind: str, traceparent: str, age_s: float) -> AbstractContextManager[Span]:
    """The span of a timer's work. `age_s` is the time since it was set."""
    return _continued(f"timer {kind}", SpanKind.INTERNAL, {"rapport.timer.kind": kind}, traceparent, age_s)


def work_span(name: str, traceparent: str) -> AbstractContextManager[Span]:
    """The span of work that outlives the span it was started in, such as a delivery after a commit."""
    _, sampled = decide(traceparent)
    return _span(name, SpanKind.INTERNAL, {}, parent=traceparent) if sampled else NOTHING


def _install(provider: TracerProvider, ratio: float) -> None:
    global _provider, _tracer, _bound
    tracer = provider.get_tracer("chassis")
    assert isinstance(tracer, Tracer)
    _provider, _tracer, _bound = provider, tracer, round(ratio * (1 << 64))


def _continued(
    name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue], traceparent: str, age_s: float
) -> AbstractContextManager[Span]:
    _, sampled = decide(traceparent)
    if not sampled:
        return NOTHING
    parent = traceparent if age_s <= STALE_AFTER_S else ""
    return _span(name, kind, attributes, parent=parent, links=_links([traceparent]))


def _messaging(source: str, name: str, kind: str) -> dict[str, AttributeValue]:
    return {
        "messaging.system": "nats",
        "messaging.destination.name": source.upper(),  # the stream: subjects would be without bound
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
    }


def _links(traceparents: Sequence[str]) -> list[Link]:
    """A link to each distinct sampled context, at most 128 of them."""
    if _tracer is None:
        return []
    contexts = (_context(traceparent) for traceparent in dict.fromkeys(traceparents))
    return [Link(context) for context in contexts if context and context.trace_flags.sampled][:128]


def _context(traceparent: str) -> SpanContext | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    return SpanContext(int(match[1], 16), int(match[2], 16), True, TraceFlags(int(match[3], 16)))


def _span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    parent: str | None = None,
    links: Sequence[Link] = (),
) -> Recorded:
    """A span for a block: a child of the current one, or of `parent`; a root when that is ""."""
    assert _tracer is not None, "only recorded work opens spans"
    above = trace.get_current_span().get_span_context() if parent is None else _context(parent)
    return Recorded(_tracer, name, kind, attributes, above if above and above.is_valid else None, links)
