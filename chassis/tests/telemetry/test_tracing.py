"""Spans: whose child, whether at all, and what they must not hold."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from chassis.db.statement import combined, tell_purposes
from chassis.operations.store import DROP, GET_TIMER
from chassis.telemetry import exporting, tracing
from rapport_testing.spans import record_spans

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT[:-2] + "00"


class Select:
    """A statement."""

    name = "LockCase: SELECT cases"
    summary = "SELECT cases"
    sql = "SELECT id FROM cases WHERE id = $1"


def hexed(span: ReadableSpan) -> tuple[str, str]:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def parent(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


@pytest.mark.parametrize(
    ("arrived", "carried"),
    [
        (f"{PARENT}-%00", ""),
        (f"01{PARENT[2:]}-{'x' * 5000}", PARENT),
        (f"01{PARENT[2:]}", PARENT),
        ("ff" + PARENT[2:], ""),
    ],
)
def test_only_what_a_trace_context_is_for_goes_on_with_facts(arrived: str, carried: str) -> None:
    going_on, _ = tracing.decide(arrived)
    assert going_on == carried or (not carried and len(going_on) == 55 and going_on[:36] != PARENT[:36])


def test_a_server_span_is_the_callers_child_and_statements_are_its_children(
    spans: list[ReadableSpan],
) -> None:
    carried, sampled = tracing.decide(PARENT)
    assert (carried, sampled) == (PARENT, True)
    with tracing.server_span("a.v1.B/C", PARENT), tracing.sql_span(Select):
        pass
    statement, server = spans
    assert hexed(server)[0] == hexed(statement)[0] == PARENT.split("-")[1]
    assert parent(server) == PARENT.split("-")[2]
    assert parent(statement) == hexed(server)[1]
    assert (server.kind, statement.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    assert statement.name == "LockCase: SELECT cases"
    assert statement.attributes is not None
    assert statement.attributes["db.query.summary"] == "SELECT cases"
    assert statement.attributes["db.query.text"] == Select.sql
    assert statement.attributes["db.system.name"] == "postgresql"


CUSTOMER = "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"
CASE = "cases/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e61"


def test_a_trace_is_found_by_its_customer_and_its_case(spans: list[ReadableSpan]) -> None:
    with tracing.server_span("a.v1.B/C", PARENT):
        tracing.name_subjects(["", f"{CUSTOMER}/identifiers/7", "customers/anna@example.org"])
        tracing.name_resources(["promises/1", CASE])
    [span] = spans
    assert span.attributes is not None
    assert span.attributes["rapport.customer"] == CUSTOMER
    assert span.attributes["rapport.case"] == CASE
    assert span.attributes["rapport.resource"] == ("promises/1", CASE)


def test_a_statement_says_what_it_is_for() -> None:
    tell_purposes()
    assert GET_TIMER.name == "GetTimer: SELECT timers"
    assert combined((GET_TIMER, DROP)).name == GET_TIMER.name


def test_what_is_not_sampled_opens_no_span(spans: list[ReadableSpan]) -> None:
    assert tracing.decide(UNSAMPLED) == (UNSAMPLED, False)
    for span in (
        tracing.sql_span(Select),
        tracing.client_span("x", {}),
        tracing.process_span("cases", "loyalty-cases", UNSAMPLED, 0),
        tracing.timer_span("due", UNSAMPLED, 0),
        tracing.publish_span("cases", [UNSAMPLED, ""]),
    ):
        with span:
            assert tracing.traceparent() == ""
    assert spans == []


@pytest.mark.parametrize(
    "garbage", ["", "x", "00-" + "0" * 32 + "-b7ad6b7169203331-01", PARENT.upper(), "ff" + PARENT[2:]]
)
def test_a_context_that_is_none_begins_a_trace(spans: list[ReadableSpan], garbage: str) -> None:
    carried, sampled = tracing.decide(garbage)
    assert sampled
    assert tracing.trace_id(carried)
    with tracing.server_span("a.v1.B/C", garbage):
        assert tracing.traceparent().endswith(("-01", "-03"))
    assert spans[0].parent is None


def test_the_ratio_decides_on_roots_alone() -> None:
    with record_spans(ratio=0):
        carried, sampled = tracing.decide("")
        assert not sampled
        assert carried.endswith("-00")
        assert tracing.decide(PARENT) == (PARENT, True)
    with record_spans(ratio=0.25):
        decisions = [tracing.decide("")[1] for _ in range(4000)]
    assert 800 < sum(decisions) < 1200


def test_an_event_is_handled_in_the_trace_that_published_it(spans: list[ReadableSpan]) -> None:
    with tracing.process_span("cases", "loyalty-cases", PARENT, 10):
        pass
    (span,) = spans
    assert span.name == "process cases"
    assert span.kind is SpanKind.CONSUMER
    assert parent(span) == PARENT.split("-")[2]
    assert [f"{link.context.span_id:016x}" for link in span.links] == [PARENT.split("-")[2]]
    assert span.attributes is not None
    assert span.attributes["messaging.destination.name"] == "CASES"
    assert span.attributes["messaging.consumer.group.name"] == "loyalty-cases"


def test_an_old_event_begins_a_trace_with_a_link(spans: list[ReadableSpan]) -> None:
    with tracing.process_span("cases", "loyalty-cases", PARENT, 301):
        pass
    assert spans[0].parent is None
    assert hexed(spans[0])[0] != PARENT.split("-")[1]
    assert len(spans[0].links) == 1


def test_publishing_links_to_what_it_publishes(spans: list[ReadableSpan]) -> None:
    with tracing.publish_span("cases", [PARENT, PARENT, UNSAMPLED, ""]):
        pass
    assert spans[0].name == "publish cases"
    assert len(spans[0].links) == 1
    assert spans[0].attributes is not None
    assert spans[0].attributes["messaging.batch.message_count"] == 4


def test_what_is_sent_is_what_the_sdk_would_send(spans: list[ReadableSpan]) -> None:
    """The same message, of roots and children, here and remote, with links, lists and errors."""
    with tracing.server_span("a.v1.B/C", PARENT) as server, tracing.sql_span(Select):
        tracing.name_resources([CASE, CUSTOMER])
        server.set_attribute("server.port", 443)
        server.set_attribute("rapport.delivery_count", 1)
    with pytest.raises(ValueError, match="no"), tracing.server_span("a.v1.B/D", ""):
        raise ValueError("no")
    with tracing.process_span("cases", "loyalty-cases", PARENT, 301):
        pass
    assert len(spans) == 4
    exporter = exporting.Exporter(endpoint="http://127.0.0.1:9")
    assert exporter._translate_data(spans) == encode_spans(spans)
    exporter.shutdown()


def test_a_span_that_has_ended_stays_as_it_was_sent(spans: list[ReadableSpan]) -> None:
    with tracing.server_span("a.v1.B/C", "") as server:
        assert server.is_recording()
    server.set_attribute("rpc.method", "other")
    server.set_attributes({"rpc.method": "other"})
    server.set_status(StatusCode.ERROR)
    server.update_name("other")
    server.end()
    [span] = spans
    assert (span.name, span.status.status_code) == ("a.v1.B/C", StatusCode.UNSET)
    assert span.attributes == {"rpc.system.name": "grpc", "rpc.method": "a.v1.B/C"}


def test_limits_of_attributes_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "3")
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "6")
    with record_spans() as spans, tracing.server_span("a.v1.B/C", ""), tracing.sql_span(Select):
        pass
    assert spans[0].attributes == {
        "db.query.summary": "SELECT",
        "db.query.text": "SELECT",
        "db.operation.name": "SELECT",
    }
    assert spans[0].dropped_attributes == 1


def test_an_exception_leaves_its_type_and_not_its_text(spans: list[ReadableSpan]) -> None:
    with pytest.raises(ValueError, match="bob"), tracing.server_span("a.v1.B/C", PARENT):
        raise ValueError("bob@example.com")
    (span,) = spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert "bob" not in span.to_json()


def test_a_caller_that_leaves_is_no_error(spans: list[ReadableSpan]) -> None:
    with pytest.raises(asyncio.CancelledError), tracing.server_span("a.v1.B/C", PARENT):
        raise asyncio.CancelledError
    assert spans[0].status.status_code is StatusCode.UNSET


def test_attributes_that_nobody_allowed_are_not_exported(spans: list[ReadableSpan]) -> None:
    with tracing.server_span("a.v1.B/C", PARENT) as span:
        span.set_attribute("customer.email", "bob@example.com")
        span.add_event("bob@example.com")
    assert "bob" not in spans[0].to_json()
    assert spans[0].attributes is not None
    assert "rpc.method" in spans[0].attributes


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, 1.0),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, 0.1),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 0.0),
    ],
)
def test_the_environment_sets_the_ratio(environ: dict[str, str], expected: float) -> None:
    assert exporting.ratio(environ) == expected


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({}, 3.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "10000"}, 10.0),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "10000", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "500"}, 0.5),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": ""}, 3.0),
    ],
)
def test_the_exporters_timeout_is_in_milliseconds(
    told: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    class Exporter(exporting.Exporter):
        def __init__(self, timeout: float) -> None:
            given.append(timeout)
            super().__init__(timeout=timeout)

    monkeypatch.setattr(exporting, "Exporter", Exporter)
    processor = exporting.batches(ENDPOINT | told)
    assert processor is not None
    processor.shutdown()
    assert given == [seconds]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2.5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9000"),
    ],
)
def test_a_variable_that_cannot_be_obeyed_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        exporting.batches(ENDPOINT | {name: value})


@pytest.mark.parametrize("value", ["nan", "2", "-0.1", "half", "1e999"])
def test_a_part_of_traces_is_a_number_up_to_one(value: str) -> None:
    with pytest.raises(ValueError, match="OTEL_TRACES_SAMPLER_ARG"):
        exporting.ratio({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": value})


def test_a_sampler_that_is_not_standard_is_refused() -> None:
    with pytest.raises(ValueError, match="OTEL_TRACES_SAMPLER"):
        exporting.ratio({"OTEL_TRACES_SAMPLER": "sometimes"})


@pytest.mark.parametrize("extra", [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_without_a_collector_nothing_is_recorded(extra: dict[str, str]) -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"} if extra else {}
    assert exporting.batches(endpoint | extra) is None


def test_an_exporter_that_hangs_does_not_hold_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(SpanProcessor):
        def shutdown(self) -> None:
            threading.Event().wait()

    monkeypatch.setattr(tracing, "SHUTDOWN_S", 0.05)
    with record_spans():
        monkeypatch.setattr(tracing, "_provider", exporting.provider("test", Hanging()))
        closing = threading.Thread(target=tracing.shutdown, daemon=True)
        closing.start()
        closing.join(20)
        assert not closing.is_alive()


def test_a_process_ends_while_its_collector_is_unreachable() -> None:
    script = """
from chassis.telemetry import tracing
tracing.setup("cases")
for _ in range(600):
    with tracing.server_span("a.v1.B/C", ""): pass
tracing.shutdown()
print("done")
"""
    environ = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environ, timeout=25, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "done\n"
