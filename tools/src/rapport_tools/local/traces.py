"""The local trace store: receives OTLP over gRPC, keeps the spans, and answers over HTTP.

`python -m rapport_tools.local.traces QUERY_PORT PORT`, with RAPPORT_DATABASE_URL. It takes the place of a
collector and a tracing product; services are told its address by the standard OTEL_EXPORTER_OTLP_ENDPOINT,
the desk where to ask by RAPPORT_TRACES_URL.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
import structlog
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from chassis.db.failures import DRIVER_ERRORS
from chassis.web import WebServer
from rapport_tools.local.spans import SpanStore, StoredSpan
from rapport_tools.local.trace_queries import queries

BATCH, FLUSH_EVERY_S, QUEUED_MAX = 2000, 0.25, 50_000
EXPIRE_EVERY_S = 60.0
MAX_REQUEST_BYTES = 16 * 1024 * 1024
_PREFIX = "rapport."  # our own attributes; those whose values look like resource names are indexed

log = structlog.get_logger()


class TraceReceiver(otlp_grpc.TraceServiceServicer):
    """Takes spans in and writes them in batches; drops and counts when the database cannot follow."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store
        self._queue: asyncio.Queue[StoredSpan] = asyncio.Queue(QUEUED_MAX)

    async def Export(
        self,
        request: otlp.ExportTraceServiceRequest,
        context: "grpc.aio.ServicerContext[otlp.ExportTraceServiceRequest, otlp.ExportTraceServiceResponse]",
    ) -> otlp.ExportTraceServiceResponse:
        """Queue the spans; the answer says how many were dropped."""
        spans = list(_stored(request))
        accepted = spans[: QUEUED_MAX - self._queue.qsize()]
        for span in accepted:
            self._queue.put_nowait(span)
        response = otlp.ExportTraceServiceResponse()
        response.partial_success.rejected_spans = len(spans) - len(accepted)
        return response

    async def write(self) -> None:
        """Write what is queued, for ever. A batch that the database refuses is dropped with a warning."""
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(FLUSH_EVERY_S)
            while not self._queue.empty() and len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
            await self._write(batch)

    async def flush(self) -> None:
        rest = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        if rest:
            await self._write(rest)

    async def expire(self) -> None:
        """Keep the store within its bounds, for ever."""
        while True:
            await self._store.expire(datetime.now(UTC))
            await asyncio.sleep(EXPIRE_EVERY_S)

    async def _write(self, batch: Sequence[StoredSpan]) -> None:
        try:
            await self._store.add(batch)
        except DRIVER_ERRORS as error:
            log.warning("spans dropped", count=len(batch), error=type(error).__name__)


async def start(url: str, port: int) -> tuple[grpc.aio.Server, TraceReceiver, SpanStore]:
    """Open the store and serve on loopback."""
    store = await SpanStore.open(url)
    receiver = TraceReceiver(store)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_REQUEST_BYTES)])
    otlp_grpc.add_TraceServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, receiver, store


async def serve(url: str, query_port: int, port: int) -> None:
    """Receive and answer until SIGTERM, then write what is queued."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server, receiver, store = await start(url, port)
    web = WebServer(queries(store), "127.0.0.1", query_port)
    work = [asyncio.create_task(each) for each in (receiver.write(), receiver.expire(), web.run())]
    await asyncio.wait([asyncio.create_task(stopping.wait()), *work], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(server.stop(2), web.stop(2))
    for task in work:
        if task.done():
            task.result()  # a part that died says why
        task.cancel()
    await receiver.flush()
    await store.close()


def _stored(request: otlp.ExportTraceServiceRequest) -> Iterator[StoredSpan]:
    for group in request.resource_spans:
        service = str(_attributes(group.resource.attributes).get("service.name", ""))
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _span(service, span)


def _span(service: str, span: Span) -> StoredSpan:
    attributes = _attributes(span.attributes)
    return StoredSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=service,
        name=span.name,
        started_at=datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC),
        duration_ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=attributes,
        links=[link.trace_id.hex() for link in span.links],
        resources=sorted(set(_resources(attributes))),
    )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)


def _resources(attributes: dict[str, Any]) -> Iterator[str]:
    """The resource names in the attributes, and their parents: a work item's trace is its case's too."""
    for key, value in attributes.items():
        for name in value if isinstance(value, list) else [value]:
            if key.startswith(_PREFIX) and isinstance(name, str) and "/" in name:
                segments = name.split("/")
                for end in range(2, len(segments) + 1, 2):
                    yield "/".join(segments[:end])


if __name__ == "__main__":
    asyncio.run(serve(os.environ["RAPPORT_DATABASE_URL"], int(sys.argv[1]), int(sys.argv[2])))
