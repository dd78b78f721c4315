import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode, Tracer

from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_tools.cli.traces import nested
from rapport_tools.local import spans as span_store
from rapport_tools.local import traces
from rapport_tools.local.spans import SpanStore

CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
IDENTIFIER = f"{CUSTOMER}/identifiers/0198c0de-0000-7000-8000-000000000002"


@pytest.fixture
async def receiver(
    infrastructure: Infrastructure,
) -> AsyncIterator[tuple[int, traces.TraceReceiver, SpanStore]]:
    await infrastructure.execute("CREATE DATABASE traces_under_test")
    url, port = infrastructure.database_url("traces_under_test"), free_port()
    server: grpc.aio.Server
    server, received, store = await traces.start(url, port)
    yield port, received, store
    await server.stop(None)
    await store.close()
    await infrastructure.drop_database(url)


@pytest.fixture
def tracer(receiver: tuple[int, traces.TraceReceiver, SpanStore]) -> Iterator[Tracer]:
    provider = TracerProvider(resource=Resource({"service.name": "cases"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{receiver[0]}", insecure=True)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


def create(tracer: Tracer) -> None:
    """One trace as a service makes it: an RPC, with a statement in it that fails."""
    with tracer.start_as_current_span("CreateIdentifier", attributes={"rapport.resource": IDENTIFIER}):
        with tracer.start_as_current_span("SELECT customers"):
            pass
        with tracer.start_as_current_span("INSERT identifiers") as span:
            span.set_status(Status(StatusCode.ERROR))


async def test_a_trace_is_found_by_the_resource_and_by_its_parents(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer
) -> None:
    _, received, store = receiver
    await asyncio.to_thread(create, tracer)
    await received.flush()
    for resource in (IDENTIFIER, CUSTOMER):
        (found,) = await store.traces(resource=resource)
        assert (found.name, found.spans, found.services, found.failed) == (
            "CreateIdentifier",
            3,
            ["cases"],
            True,
        )
    assert await store.traces(resource="customers/another") == []


async def test_a_trace_shows_each_span_below_its_parent_in_order_of_time(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer
) -> None:
    _, received, store = receiver
    await asyncio.to_thread(create, tracer)
    await received.flush()
    (found,) = await store.traces()
    drawn = [(depth, span.name) for depth, span in nested(await store.trace(found.trace_id))]
    assert drawn == [(0, "CreateIdentifier"), (1, "SELECT customers"), (1, "INSERT identifiers")]


async def test_traces_are_filtered_by_failure_and_by_slowness(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer
) -> None:
    _, received, store = receiver
    await asyncio.to_thread(create, tracer)
    slow = tracer.start_span("ListCases", start_time=1_000_000_000)
    await asyncio.to_thread(slow.end, end_time=3_000_000_000)
    await received.flush()
    assert [found.name for found in await store.traces(failed=True)] == ["CreateIdentifier"]
    assert [found.name for found in await store.traces(slow_ms=1500)] == ["ListCases"]


async def test_a_span_that_is_exported_twice_is_shown_once(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer
) -> None:
    _, received, store = receiver
    await asyncio.to_thread(create, tracer)
    await received.flush()
    (found,) = await store.traces()
    stored = await store.trace(found.trace_id)
    await store.add(stored)
    assert await store.trace(found.trace_id) == stored


async def test_old_spans_are_deleted_and_only_the_newest_are_kept(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, received, store = receiver
    await asyncio.to_thread(create, tracer)
    await received.flush()
    monkeypatch.setattr(span_store, "KEEP_COUNT", 2)
    await store.expire(datetime.now(UTC))
    (found,) = await store.traces()
    assert found.spans == 2
    await store.expire(datetime.now(UTC) + timedelta(days=8))
    assert await store.traces() == []


async def test_spans_beyond_what_the_queue_holds_are_refused_and_counted(
    receiver: tuple[int, traces.TraceReceiver, SpanStore], tracer: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, received, store = receiver
    monkeypatch.setattr(traces, "QUEUED_MAX", 1)
    await asyncio.to_thread(create, tracer)
    await received.flush()
    (found,) = await store.traces()
    assert found.spans == 1
