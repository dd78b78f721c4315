"""What the local trace store answers over HTTP: as much of Jaeger's query API, version 3, as the desk asks.

`GET /api/v3/traces/{trace_id}` and `GET /api/v3/traces?query.startTimeMin=...`, answered with OTLP's JSON.
Whatever reads this reads a Jaeger of an installation too.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rapport_tools.local.spans import SpanStore, StoredSpan

TRACES, TRACES_MAX = 20, 1000
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_DURATION = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_MS)})")


def queries(store: SpanStore) -> Starlette:
    async def trace(request: Request) -> Response:
        """One trace; 404 when it is not known."""
        return _answer(await store.trace(request.path_params["trace_id"].lower()))

    async def traces(request: Request) -> Response:
        """The newest traces with a span that is as asked; 404 when there are none."""
        try:
            asked = _asked(request.query_params)
        except (KeyError, ValueError, AttributeError) as error:
            return _error(400, f"malformed or missing parameter: {error}")
        return _answer(await store.trace(*(found.trace_id for found in await store.traces(**asked))))

    return Starlette(routes=[Route("/api/v3/traces/{trace_id}", trace), Route("/api/v3/traces", traces)])


def otlp(spans: Iterable[StoredSpan]) -> dict[str, Any]:
    """Spans as OTLP has them in JSON, by service."""
    by_service = groupby(sorted(spans, key=lambda span: span.service), key=lambda span: span.service)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                "scopeSpans": [{"spans": [_span(span) for span in its]}],
            }
            for service, its in by_service
        ]
    }


def _asked(query: Mapping[str, str]) -> dict[str, Any]:
    """What the parameters ask of the store. KeyError, ValueError, AttributeError when they are wrong."""
    attributes = json.loads(query.get("query.attributes") or "{}")
    return {
        "service": query.get("query.serviceName", ""),
        "since": datetime.fromisoformat(query["query.startTimeMin"]).astimezone(UTC),
        "until": datetime.fromisoformat(query["query.startTimeMax"]).astimezone(UTC),
        "slow_ms": _ms(query.get("query.durationMin") or "0ms"),
        "failed": attributes.get("error") == "true",
        "limit": min(int(query.get("query.searchDepth") or TRACES), TRACES_MAX),
    }


def _ms(duration: str) -> float:
    """A duration as Go writes it, in milliseconds: `1m30s`."""
    parts = _DURATION.findall(duration)
    if "".join(map("".join, parts)) != duration:
        raise ValueError("a duration is a number and a unit, such as 500ms")
    return sum(float(number) * _MS[unit] for number, unit in parts)


def _answer(spans: Sequence[StoredSpan]) -> Response:
    return JSONResponse({"result": otlp(spans)}) if spans else _error(404, "No traces found")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"httpCode": status, "message": message}}, status)


def _span(span: StoredSpan) -> dict[str, Any]:
    begin = (span.started_at - _EPOCH) // _MICROSECOND * 1000
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(begin + round(span.duration_ms * 1e6)),
        "attributes": _attributes(span.attributes),
        "links": [{"traceId": trace_id} for trace_id in span.links],
        "status": {"code": 2} if span.failed else {},
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
        case _:
            return {"stringValue": str(value)}
