"""Where the local stack keeps spans: a PostgreSQL database, bounded by age and by count."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

KEEP_FOR = timedelta(days=7)
KEEP_COUNT = 500_000
_EVER, _NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trace_id text NOT NULL,
    span_id text NOT NULL,
    parent_id text NOT NULL,
    service text NOT NULL,
    name text NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms double precision NOT NULL,
    failed boolean NOT NULL,
    attributes jsonb NOT NULL,
    links text[] NOT NULL,
    resources text[] NOT NULL
);
CREATE INDEX IF NOT EXISTS spans_trace ON spans (trace_id);
CREATE INDEX IF NOT EXISTS spans_started ON spans (started_at);
CREATE INDEX IF NOT EXISTS spans_slow ON spans (duration_ms);
CREATE INDEX IF NOT EXISTS spans_failed ON spans (id) WHERE failed;
CREATE INDEX IF NOT EXISTS spans_resources ON spans USING gin (resources) WHERE resources <> '{}';
"""
_COLUMNS = (
    "trace_id", "span_id", "parent_id", "service", "name", "started_at", "duration_ms", "failed",
    "attributes", "links", "resources",
)  # fmt: skip
# The newest traces among the newest matching spans: what a person looks for is recent.
_SUMMARIES = """
WITH wanted AS (
    SELECT trace_id, max(id) AS newest FROM (
        SELECT id, trace_id FROM spans
        WHERE duration_ms >= $1 AND (failed OR NOT $2)
          AND ($3 = '' OR (resources <> '{}' AND resources @> ARRAY[$3]))
          AND ($5 = '' OR service = $5) AND started_at BETWEEN $6 AND $7
        ORDER BY id DESC LIMIT 20000
    ) AS matching GROUP BY trace_id ORDER BY newest DESC LIMIT $4
)
SELECT trace_id, min(started_at) AS started_at,
       (array_agg(name ORDER BY started_at, id))[1] AS name,
       (extract(epoch FROM max(started_at + duration_ms * interval '1 ms') - min(started_at)) * 1000)::float8
           AS duration_ms,
       count(DISTINCT span_id) AS spans, array_agg(DISTINCT service) AS services, bool_or(failed) AS failed
FROM spans JOIN wanted USING (trace_id) GROUP BY trace_id ORDER BY min(started_at) DESC
"""
_SPANS = """
SELECT DISTINCT ON (trace_id, span_id) trace_id, span_id, parent_id, service, name, started_at, duration_ms,
       failed, attributes, links, resources
FROM spans WHERE trace_id = ANY($1) ORDER BY trace_id, span_id, id
"""
_EXPIRE = "DELETE FROM spans WHERE started_at < $1 OR id <= (SELECT coalesce(max(id), 0) FROM spans) - $2"


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span. `links` and `resources` are trace ids and the resource names that its attributes hold."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    started_at: datetime
    duration_ms: float
    failed: bool
    attributes: dict[str, Any] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of a list of traces: named after its first span, lasting until its last span ended."""

    trace_id: str
    started_at: datetime
    name: str
    duration_ms: float
    spans: int
    services: list[str]
    failed: bool


class SpanStore:
    """The spans of one stack."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> "SpanStore":
        """Connect, and make the table when absent."""
        settings = {"synchronous_commit": "off", "application_name": "traces"}  # a lost span is no lost fact
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=2, init=_read_json, server_settings=settings
        )
        await pool.execute(_SCHEMA)
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def add(self, spans: Sequence[StoredSpan]) -> None:
        """Store a batch. A span that is exported twice is stored twice and shown once."""
        rows = [tuple(getattr(span, column) for column in _COLUMNS) for span in spans]
        async with self._pool.acquire() as connection:
            await connection.copy_records_to_table("spans", records=rows, columns=_COLUMNS)

    async def traces(
        self,
        *,
        slow_ms: float = 0,
        failed: bool = False,
        resource: str = "",
        service: str = "",
        since: datetime = _EVER,
        until: datetime = _NEVER,
        limit: int = 20,
    ) -> list[TraceSummary]:
        """The newest traces with a span that is this slow, failed, about this resource, of this service."""
        asked = slow_ms, failed, resource, limit, service, since, until
        return [TraceSummary(**row) for row in await self._pool.fetch(_SUMMARIES, *asked)]

    async def trace(self, *trace_ids: str) -> list[StoredSpan]:
        """Every span of a trace, or of several, by time. Empty when it is not known."""
        spans = [StoredSpan(**row) for row in await self._pool.fetch(_SPANS, trace_ids)]
        return sorted(spans, key=lambda span: span.started_at)

    async def expire(self, now: datetime) -> None:
        """Delete what is older than 7 days or beyond the newest 500,000 spans."""
        await self._pool.execute(_EXPIRE, now - KEEP_FOR, KEEP_COUNT)


def as_json(item: StoredSpan | TraceSummary) -> dict[str, Any]:
    """A span or a summary with its time as text."""
    return asdict(item) | {"started_at": item.started_at.astimezone(UTC).isoformat()}


async def _read_json(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=lambda raw: json.loads(raw[1:]), format="binary"
    )


def _jsonb(value: object) -> bytes:
    return b"\x01" + json.dumps(value).encode()  # the version byte of jsonb's binary form, which COPY needs
