"""`/traces/{trace_id}`: a waterfall; `/operations/traces`: the failed and the slow ones."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import NotFound
from desk.language.catalogues import N_
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import PAGE_S
from desk.pages.operations.asking import readable
from desk.pages.services import ask
from desk.pages.traces.otlp import Span, customers
from desk.pages.traces.store import Traces, TraceStore, TracesUnavailable
from desk.pages.traces.waterfall import waterfall
from rapport.customer.v1.customer_pb2 import Customer

router = APIRouter()
CUSTOMERS_SHOWN = 5
TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
TRACES_MAX = 50
SLOW_MS, SLOW_MAX_MS = 1000, 3_600_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A trace, named after what began it."""

    trace_id: str
    name: str
    root: str  # the service in which it began
    started_at: datetime
    duration_ms: float
    services: list[str]
    worst: Span  # the span that it is listed for: the first that failed, or the slowest
    customers: list[str]  # `customers/{customer}` whom it concerned


@router.get("/traces/{trace_id}")
async def trace(look: Look, trace_id: str) -> Response:
    """The waterfall, of an id as answers and log lines have it."""
    if not TRACE_ID.fullmatch(trace_id):
        raise NotFound("traces/…", N_("A trace is known by 32 hexadecimal digits."))
    known: Traces = look.request.app.state.traces
    made, trouble = None, ""
    if known.store:
        try:
            spans = await known.store.trace(trace_id)
            made = await asyncio.to_thread(waterfall, spans)  # of ten thousand a quarter of a second
        except TracesUnavailable as refusal:
            trouble = refusal.message
    return look.answer(
        "pages/traces/trace.html",
        status=200 if made else 503 if trouble else 404,
        page=made,
        trace_id=trace_id,
        link=known.href(trace_id),
        trouble=trouble,
        is_configured=known.store is not None,
        called=await _called(look, made.customers[:CUSTOMERS_SHOWN] if made else ()),
    )


@router.get("/operations/traces")
async def traces(look: Look, of: str = "failed", service: str = "", ms: str = "") -> Response:
    """Those of the last day that failed, or that were slow, of all services or of one."""
    names = readable(look)
    store: TraceStore | None = look.request.app.state.traces.store
    at_least = min(max(int(ms), 1), SLOW_MAX_MS) if ms.isascii() and ms.isdigit() and len(ms) < 9 else SLOW_MS
    chosen = [service] if service in names else names
    found, trouble = [], ""
    if store:
        try:
            found = await _found(store, chosen, look.say.now, of, at_least)
        except TracesUnavailable as refusal:
            trouble = refusal.message
    return look.answer(
        "pages/traces/traces.html",
        found=found,
        of="slow" if of == "slow" else "failed",
        service=service if service in names else "",
        services=[("", look.say("All services")), *((name, name) for name in names)],
        ms=at_least,
        trouble=trouble,
        is_configured=store is not None,
        called=await _called(look, {name for each in found for name in each.customers[:2]}),
    )


async def _called(look: Looking, customers: Iterable[str]) -> Mapping[str, str]:
    """What these customers are called, as far as whoever looks may know it, and it is told in time."""
    answered = await ask(PAGE_S, known=look.services.known(customers))
    return {name: each.display_name for name, each in answered.of("known", dict[str, Customer]).items()}


async def _found(
    store: TraceStore, services: list[str], now: datetime, of: str, at_least_ms: int
) -> list[Listed]:
    if of == "slow":
        return await asyncio.to_thread(slow, await store.slow(services, now, at_least_ms), at_least_ms)
    return await asyncio.to_thread(failed, await store.failed(services, now))


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
        services=sorted({span.service for span in trace}),
        worst=worst,
        customers=customers(trace),
    )


def _newest(found: list[Listed]) -> list[Listed]:
    return sorted(found, key=lambda each: each.started_at, reverse=True)[:TRACES_MAX]
