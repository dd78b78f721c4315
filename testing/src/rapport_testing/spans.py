"""The spans of what a test does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from chassis.telemetry import exporting, tracing

_INSTALLED = ("_provider", "_tracer", "_bound")


@contextmanager
def record_spans(ratio: float = 1.0) -> Iterator[list[ReadableSpan]]:
    """Record spans into a list, as they would be exported."""
    spans: list[ReadableSpan] = []
    before = {name: getattr(tracing, name) for name in _INSTALLED}
    recorder = SimpleSpanProcessor(exporting.Stripped(_Recorder(spans)))
    tracing._install(exporting.provider("test", recorder), ratio)
    try:
        yield spans
    finally:
        vars(tracing).update(before)


class _Recorder(SpanExporter):
    def __init__(self, spans: list[ReadableSpan]) -> None:
        self._spans = spans

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._spans.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Keep what was recorded."""
