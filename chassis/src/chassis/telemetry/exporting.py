"""Spans on their way to the collector that the OTEL_* variables name, stripped of what may not leave."""

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

ALLOWED = frozenset(
    {
        "db.operation.name",
        "db.query.summary",
        "db.query.text",  # placeholders only: statements are compiled without values
        "db.system.name",
        "error.type",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.message.id",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system",
        "network.protocol.name",
        "rapport.delivery_count",
        "rapport.event.type",
        "rapport.resource",
        "rapport.timer.kind",
        "rpc.method",
        "rpc.response.status_code",
        "rpc.system.name",
        "server.address",
        "server.port",
        "smtp.response.status_code",
    }
)


class Stripped(SpanExporter):
    """Exports spans with the attributes in ALLOWED, and without events: those hold exception messages."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        return self._exporter.export([_stripped(span) for span in spans])

    def shutdown(self) -> None:
        """Close the exporter behind."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter behind."""
        return self._exporter.force_flush(timeout_millis)


def provider(service: str, processor: SpanProcessor) -> TracerProvider:
    """A provider that records all it gets: `tracing.admit` has decided. OTEL_RESOURCE_ATTRIBUTES apply."""
    resource = Resource.create({"service.name": service, "service.version": _version(service)})
    made = TracerProvider(
        sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, span_limits=SpanLimits(max_links=128)
    )
    made.add_span_processor(processor)
    return made


def batches(environ: Mapping[str, str] = os.environ) -> SpanProcessor | None:
    """The way to the OTLP collector that the environment names; None when it names none or says no."""
    endpoint = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    off = environ.get("OTEL_SDK_DISABLED") == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if not endpoint or off:
        return None
    timeout_s = int(environ.get("OTEL_EXPORTER_OTLP_TIMEOUT", 3))
    return BatchSpanProcessor(
        Stripped(OTLPSpanExporter(timeout=timeout_s)),
        max_queue_size=int(environ.get("OTEL_BSP_MAX_QUEUE_SIZE", 8192)),
        schedule_delay_millis=int(environ.get("OTEL_BSP_SCHEDULE_DELAY", 1000)),
        max_export_batch_size=int(environ.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
    )


def ratio(environ: Mapping[str, str] = os.environ) -> float:
    """The part of new traces that is recorded, by OTEL_TRACES_SAMPLER and its _ARG; all by default.

    ValueError for a sampler that is not one of the six standard ones.
    """
    sampler = environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").removeprefix("parentbased_")
    if sampler == "traceidratio":
        return min(max(float(environ.get("OTEL_TRACES_SAMPLER_ARG", 1)), 0.0), 1.0)
    if sampler in ("always_on", "always_off"):
        return float(sampler == "always_on")
    raise ValueError(
        f"OTEL_TRACES_SAMPLER must be [parentbased_]always_on, always_off or traceidratio, not {sampler}"
    )


def _stripped(span: ReadableSpan) -> ReadableSpan:
    attributes: Mapping[str, Any] = span.attributes or {}
    if not span.events and attributes.keys() <= ALLOWED:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={key: value for key, value in attributes.items() if key in ALLOWED},
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _version(service: str) -> str:
    try:
        return version(f"rapport-{service}")
    except PackageNotFoundError:
        return version("rapport-chassis")
