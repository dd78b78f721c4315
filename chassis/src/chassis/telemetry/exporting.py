"""Spans on their way to the collector that the OTEL_* variables name, stripped of what may not leave."""

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from opentelemetry.exporter.otlp.proto.common._internal import _encode_attributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext

_INT32 = 2**31
_RATIO = re.compile(r"\d+(\.\d*)?|\.\d+")
# Statements, `db.query.text`, are compiled without values: they hold placeholders only.
_ALLOWED = """
    db.operation.name db.query.summary db.query.text db.system.name error.type messaging.batch.message_count
    messaging.consumer.group.name messaging.destination.name messaging.message.id messaging.operation.name
    messaging.operation.type messaging.system network.protocol.name rapport.case rapport.customer
    rapport.delivery_count rapport.event.type rapport.resource rapport.timer.kind rpc.method
    rpc.response.status_code rpc.system.name server.address server.port smtp.response.status_code
"""
ALLOWED = frozenset(_ALLOWED.split())


class Stripped(SpanExporter):
    """Exports spans with the attributes in ALLOWED, and without events: those hold exception messages."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_stripped(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class Exporter(OTLPSpanExporter):
    """Sends spans as the SDK's exporter does, and encodes them in a quarter of the time.

    They are of one resource and one scope; of their attributes most are the same from span to span.
    """

    def _translate_data(self, data: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
        request = encode_spans(data[:1])  # resource and scope by the SDK
        (scope,) = request.resource_spans[0].scope_spans
        del scope.spans[:]
        for span in data:
            context, attributes = span.context, span.attributes or {}
            encoded = scope.spans.add(
                trace_id=context.trace_id.to_bytes(16, "big"),
                span_id=context.span_id.to_bytes(8, "big"),
                name=span.name,
                kind=span.kind.value + 1,
                start_time_unix_nano=span.start_time,
                end_time_unix_nano=span.end_time,
                flags=_flags(span.parent),
            )
            if span.parent is not None:
                encoded.parent_span_id = span.parent.span_id.to_bytes(8, "big")
            encoded.status.code = span.status.status_code.value  # type: ignore[assignment]
            for link in span.links:
                encoded.links.add(
                    trace_id=link.context.trace_id.to_bytes(16, "big"),
                    span_id=link.context.span_id.to_bytes(8, "big"),
                    flags=_flags(link.context),
                )
            if span.dropped_attributes:
                encoded.dropped_attributes_count = span.dropped_attributes
            # Serialised messages that follow each other are one that has the fields of all.
            encoded.MergeFromString(b"".join([_attribute(key, value) for key, value in attributes.items()]))
        return request


@lru_cache(2048, typed=True)
def _attribute(key: str, value: Any) -> bytes:
    """A span that has this attribute alone, serialised."""
    return trace_pb2.Span(attributes=_encode_attributes({key: value})).SerializeToString()


def _flags(context: SpanContext | None) -> int:
    remote = trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK if context is not None and context.is_remote else 0
    return trace_pb2.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | remote


def provider(service: str, processor: SpanProcessor) -> TracerProvider:
    """A provider that records all it gets: `tracing.decide` has decided. OTEL_RESOURCE_ATTRIBUTES apply."""
    resource = Resource.create({"service.name": service, "service.version": version_of(service)})
    made = TracerProvider(
        sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, span_limits=SpanLimits(max_links=128)
    )
    made.add_span_processor(processor)
    return made


def batches(environ: Mapping[str, str] = os.environ) -> SpanProcessor | None:
    """The way to the OTLP collector that the environment names; None when it names none or says no.

    The variables mean what the OpenTelemetry specification says: times are milliseconds. ValueError, with
    what is allowed, for one that we could not obey.
    """
    endpoint = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    off = environ.get("OTEL_SDK_DISABLED") == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if not endpoint or off:
        return None
    protocol = _told(environ, "PROTOCOL", "grpc")
    if protocol != "grpc":
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL must be grpc, not {protocol}")
    timeout_ms = _whole("OTEL_EXPORTER_OTLP_TIMEOUT", _told(environ, "TIMEOUT", "3000"))
    size, delay_ms, batch = (
        _whole(name, environ.get(name) or default)
        for name, default in (
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8192"),
            ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512"),
        )
    )
    if batch > size:
        raise ValueError("OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE")
    return BatchSpanProcessor(
        Stripped(Exporter(timeout=timeout_ms / 1000)),
        max_queue_size=size,
        schedule_delay_millis=delay_ms,
        max_export_batch_size=batch,
    )


def ratio(environ: Mapping[str, str] = os.environ) -> float:
    """The part of new traces that is recorded, by OTEL_TRACES_SAMPLER and its _ARG; all by default.

    ValueError for a sampler that is not one of the six standard ones.
    """
    sampler = environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").removeprefix("parentbased_")
    if sampler == "traceidratio":
        told = environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
        if not _RATIO.fullmatch(told) or float(told) > 1:
            raise ValueError("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1")
        return float(told)
    if sampler in ("always_on", "always_off"):
        return float(sampler == "always_on")
    raise ValueError(
        f"OTEL_TRACES_SAMPLER must be [parentbased_]always_on, always_off or traceidratio, not {sampler}"
    )


def _told(environ: Mapping[str, str], name: str, default: str) -> str:
    """A variable of the exporter: that for traces, or else that for all signals."""
    names = (f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}")
    return next(filter(None, map(environ.get, names)), default)


def _whole(name: str, told: str) -> int:
    if not (told.isascii() and told.isdigit() and 0 < int(told) < _INT32):
        raise ValueError(f"{name} must be a whole number above 0 (times in milliseconds)")
    return int(told)


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


def version_of(service: str) -> str:
    """The version of a service, as it is installed; of the chassis, for one that is not."""
    try:
        return version(f"rapport-{service}")
    except PackageNotFoundError:
        return version("rapport-chassis")
