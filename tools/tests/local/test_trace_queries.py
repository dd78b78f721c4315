"""The local trace store answers over HTTP as a Jaeger does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from rapport_testing.infrastructure import Infrastructure
from rapport_tools.local.spans import SpanStore, StoredSpan
from rapport_tools.local.trace_queries import otlp, queries

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
WINDOW = {
    "query.startTimeMin": (NOW - timedelta(hours=1)).isoformat(),
    "query.startTimeMax": (NOW + timedelta(hours=1)).isoformat(),
}
ATTRIBUTES = {"rapport.resource": ["cases/1"], "n": 3, "x": 1.5, "ok": True, "rpc.method": "a.B/C"}


def span(trace_id: str, service: str = "cases", **more: Any) -> StoredSpan:
    told = {"started_at": NOW, "duration_ms": 1.5, "failed": False, **more}
    return StoredSpan(trace_id * 32, "2" * 16, "", service, f"of {service}", **told)


@pytest.fixture
async def client(infrastructure: Infrastructure) -> AsyncIterator[httpx.AsyncClient]:
    await infrastructure.execute("CREATE DATABASE traces_that_are_asked")
    url = infrastructure.database_url("traces_that_are_asked")
    store = await SpanStore.open(url)
    await store.add([
        span("a", failed=True),
        span("b", "loyalty", duration_ms=2500.0),
        span("c", started_at=NOW - timedelta(days=1), failed=True),
        span("d"),
    ])  # fmt: skip
    transport = httpx.ASGITransport(queries(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://traces") as asked:
        yield asked
    await store.close()
    await infrastructure.drop_database(url)


def found(response: httpx.Response) -> set[str]:
    groups = response.json().get("result", {}).get("resourceSpans", [])
    return {
        each["traceId"][0] for group in groups for scope in group["scopeSpans"] for each in scope["spans"]
    }


def test_a_span_is_told_as_otlp_has_it_in_json() -> None:
    told = span("a", failed=True, attributes=ATTRIBUTES, links=["f" * 32])
    assert otlp([told]) == {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cases"}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "a" * 32,
                                "spanId": "2" * 16,
                                "parentSpanId": "",
                                "name": "of cases",
                                "startTimeUnixNano": "1772442000123456000",
                                "endTimeUnixNano": "1772442000124956000",
                                "attributes": [
                                    {
                                        "key": "rapport.resource",
                                        "value": {"arrayValue": {"values": [{"stringValue": "cases/1"}]}},
                                    },
                                    {"key": "n", "value": {"intValue": "3"}},
                                    {"key": "x", "value": {"doubleValue": 1.5}},
                                    {"key": "ok", "value": {"boolValue": True}},
                                    {"key": "rpc.method", "value": {"stringValue": "a.B/C"}},
                                ],
                                "links": [{"traceId": "f" * 32}],
                                "status": {"code": 2},
                            }
                        ]
                    }
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({}, {"a", "b", "d"}),
        ({"query.serviceName": "loyalty"}, {"b"}),
        ({"query.attributes": '{"error": "true"}'}, {"a"}),
        ({"query.durationMin": "2s500ms"}, {"b"}),
        ({"query.durationMin": "1m"}, set()),
        ({"query.searchDepth": "1"}, {"d"}),
    ],
)
async def test_traces_are_found_by_service_failure_and_length(
    client: httpx.AsyncClient, asked: dict[str, str], answered: set[str]
) -> None:
    response = await client.get("/api/v3/traces", params=WINDOW | asked)
    assert (found(response), response.status_code) == (answered, 200 if answered else 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"query.startTimeMin": "yesterday"},
        {"query.startTimeMax": ""},
        {"query.durationMin": "long"},
        {"query.durationMin": "5"},
        {"query.searchDepth": "all"},
        {"query.attributes": "error"},
        {"query.attributes": "[]"},
    ],
)
async def test_what_cannot_be_read_is_refused(client: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    response = await client.get("/api/v3/traces", params=WINDOW | wrong)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("malformed or missing parameter")


async def test_one_trace_is_told_whole_and_an_unknown_one_is_not_found(client: httpx.AsyncClient) -> None:
    assert found(await client.get(f"/api/v3/traces/{'C' * 32}")) == {"c"}
    assert (await client.get(f"/api/v3/traces/{'e' * 32}")).status_code == 404
