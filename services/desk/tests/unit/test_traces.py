"""What a trace store answers is read, and traces that are worth a look are found in it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from desk.pages.traces import route as listing
from desk.pages.traces.otlp import Span, spans_of

CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
SECOND = 1_000_000_000
# As Jaeger 2 answers: ids in hex, int64 as text, what is empty left out.
TOLD: dict[str, Any] = {
    "traceId": "0" * 31 + "1",
    "spanId": "0" * 15 + "2",
    "name": "cases.v1.CaseService/CreateCase",
    "kind": 2,
    "startTimeUnixNano": "1000000000000",
    "endTimeUnixNano": "1001000000000",
    "attributes": [
        {"key": "rapport.resource", "value": {"arrayValue": {"values": [{"stringValue": CUSTOMER}]}}},
        {"key": "rpc.response.status_code", "value": {"stringValue": "INTERNAL"}},
        {"key": "messaging.batch.message_count", "value": {"intValue": "3"}},
    ],
    "links": [{"traceId": "f" * 32, "spanId": "a" * 16}, {"traceId": "0" * 31 + "1", "spanId": "a" * 16}],
    "status": {"code": 2},
}


def answer(*spans: dict[str, Any]) -> bytes:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "cases"}}]}
    groups = [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]
    return json.dumps({"result": {"resourceSpans": groups}}).encode()


def test_a_span_is_read_as_otlp_has_it() -> None:
    assert spans_of(answer(TOLD)) == [
        Span(
            trace_id="0" * 31 + "1",
            span_id="0" * 15 + "2",
            parent_id="",
            service="cases",
            name="cases.v1.CaseService/CreateCase",
            begin_ns=1000 * SECOND,
            end_ns=1001 * SECOND,
            failed=True,
            error="INTERNAL",
            links=("f" * 32,),
            resources=(CUSTOMER,),
        )
    ]


def test_what_is_left_out_is_empty() -> None:
    [span] = spans_of(answer({"traceId": "1", "spanId": "2", "parentSpanId": "0" * 16}))
    assert span == Span("1", "2", "", "cases", "", 0, 0)


@pytest.mark.parametrize(
    ("code", "failed"), [("PERMISSION_DENIED", False), ("NOT_FOUND", False), ("UNAVAILABLE", True)]
)
def test_a_refusal_is_no_failure_and_a_failure_is_called_by_its_code(code: str, failed: bool) -> None:
    told = [
        {"key": "rpc.response.status_code", "value": {"stringValue": code}},
        {"key": "error.type", "value": {"stringValue": "AioRpcError"}},
    ]
    (span,) = spans_of(answer(TOLD | {"attributes": told, "status": {"code": 2}}))
    assert (span.failed, span.error) == (failed, code if failed else "")


def test_an_attribute_that_is_no_code_and_no_name_is_not_shown() -> None:
    values = ["Erika Sommer", "mailto:erika@example.org", "a" * 20_000, CUSTOMER]
    told = [{"key": "rapport.resource", "value": {"stringValue": value}} for value in values]
    status = {"code": 2, "message": "no such customer: Erika Sommer"}
    text = str(spans_of(answer(TOLD | {"attributes": told, "status": status})))
    assert "Erika" not in text
    assert "erika" not in text
    assert CUSTOMER in text


@pytest.mark.parametrize(
    "other",
    [b"", b"<html>", b"[]", b'{"result": 1}', b'{"error": {"httpCode": 500}}', answer({"spanId": "2"})],
)
def test_what_is_not_otlp_is_refused(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        spans_of(other)


def span(trace: str, span_id: str, begin_s: int, seconds: int = 0, **more: Any) -> Span:
    made = Span(trace, span_id, "", "cases", f"do {span_id}", begin_s * SECOND, (begin_s + seconds) * SECOND)
    return replace(made, **more)


def test_traces_with_failures_are_listed_by_the_innermost_newest_first() -> None:
    spans = [
        span("old", "call", 1, 9, failed=True, resources=(CUSTOMER,)),
        span("old", "statement", 2, failed=True, error="UniqueViolation"),
        span("good", "call", 3),
        span("new", "call", 5, failed=True),
    ]
    new, old = listing.failed([*spans, *spans])
    assert (new.trace_id, old.trace_id) == ("new", "old")
    assert (old.name, old.worst.error) == ("do call", "UniqueViolation")
    assert (old.duration_ms, old.customers) == (9000, [CUSTOMER])


def test_a_watch_is_not_slow_but_what_it_did_may_be() -> None:
    watch = "rapport.customer.v1.ViewService/WatchCustomerView"
    spans = [
        span("watch", "w", 1, 3600, name=watch),
        span("slow", "w", 2, 3600, name=watch),
        span("slow", "statement", 3, 2),
        span("fast", "call", 4, 1),
    ]
    [found] = listing.slow(spans, at_least_ms=1500)
    assert (found.trace_id, found.worst.span_id) == ("slow", "statement")


def test_a_list_has_an_end() -> None:
    assert len(listing.failed(span(str(n), "a", n, failed=True) for n in range(200))) == listing.TRACES_MAX
