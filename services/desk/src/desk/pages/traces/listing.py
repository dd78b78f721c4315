"""Traces that are worth a look, one line each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.pages.traces.otlp import Span, customers

TRACES_MAX = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A trace, named after what began it.

    Attributes:
        root: the service in which it began.
        worst: the span that it is listed for: the first that failed, or the slowest.
        customers: `customers/{customer}` whom it concerned.
    """

    trace_id: str
    name: str
    root: str
    started_at: datetime
    duration_ms: float
    span_count: int
    failed_count: int
    services: list[str]
    worst: Span
    customers: list[str]


def failed(spans: Iterable[Span]) -> list[Listed]:
    """Traces in which something failed, the newest first; at most TRACES_MAX."""
    found = []
    for trace in _traces(spans):
        if bad := [span for span in trace if span.failed]:
            found.append(_listed(trace, bad[-1]))  # what was called fails first, and begins last
    return _newest(found)


def slow(spans: Iterable[Span], at_least_ms: float) -> list[Listed]:
    """Traces with a span of at least this length, the newest first; at most TRACES_MAX.

    A watch lasts as long as somebody looks: it is not slow.
    """
    found = []
    for trace in _traces(spans):
        calls = [span for span in trace if "/Watch" not in span.name]
        slowest = max(calls, key=lambda span: span.duration_ns, default=None)
        if slowest is not None and slowest.duration_ns >= at_least_ms * 1e6:
            found.append(_listed(trace, slowest))
    return _newest(found)


def _traces(spans: Iterable[Span]) -> Iterable[list[Span]]:
    """The spans of each trace by time, each once: a trace is told again for each service that it crossed."""
    traces = defaultdict[str, dict[str, Span]](dict)
    for span in spans:
        traces[span.trace_id].setdefault(span.span_id, span)
    return (sorted(trace.values(), key=lambda span: span.begin_ns) for trace in traces.values())


def _listed(trace: list[Span], worst: Span) -> Listed:
    begin = trace[0].begin_ns
    return Listed(
        trace_id=worst.trace_id,
        name=trace[0].what,
        root=trace[0].service,
        started_at=datetime.fromtimestamp(begin / 1e9, UTC),
        duration_ms=(max(span.begin_ns + span.duration_ns for span in trace) - begin) / 1e6,
        span_count=len(trace),
        failed_count=sum(span.failed for span in trace),
        services=sorted({span.service for span in trace}),
        worst=worst,
        customers=customers(trace),
    )


def _newest(found: list[Listed]) -> list[Listed]:
    return sorted(found, key=lambda each: each.started_at, reverse=True)[:TRACES_MAX]
