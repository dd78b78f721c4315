"""What Prometheus reads of every service; docs/metrics.md is made of these declarations.

Names: what OpenTelemetry names is named so (`rpc_server_duration_seconds`); all else begins with `rapport_`.
Units are seconds, and whole things. A label is a code of the contracts or of a declaration, never a person, a
resource or a text. What is read from the database or the broker is the same in every replica: take the
maximum over them, not the sum.
"""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Labels = tuple[str, ...]


class Snapshot(Collector):
    """Gauges that are measured together: what was there last time and is no more, goes."""

    def __init__(
        self, name: str, description: str, labels: Labels, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._empty = partial(GaugeMetricFamily, name, description, labels=labels)
        self._values: Mapping[Labels, float] = {}
        registry.register(self)

    def replace(self, values: Mapping[Labels, float]) -> None:
        """What there is now, by label values."""
        self._values = values

    def describe(self) -> Iterator[Metric]:
        yield self._empty()

    def collect(self) -> Iterator[Metric]:
        family = self._empty()
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family


LAG_EVERY_S = 0.5

RPC_DURATION = Histogram(
    "rpc_server_duration_seconds", "Time to answer an RPC.", ["method", "code"], buckets=BUCKETS_S
)
RPC_CLIENT_DURATION = Histogram(
    "rpc_client_duration_seconds",
    "Time of a call to another service, with its retries.",
    ["method", "code"],
    buckets=BUCKETS_S,
)
CALLS = Counter(
    "rapport_rpc_calls",
    "RPCs by who calls: a workload (service:cases), or else the department of a person.",
    ["caller", "method", "code"],
)
LOOP_LAG = Gauge("rapport_event_loop_lag_seconds", "How late the event loop was at the last look.")
WARNINGS = Gauge(
    "rapport_warnings", "What is amiss while the service serves; /health/ready says it in words."
)

POOL_CONNECTIONS = Gauge(
    "rapport_db_pool_connections", "Connections to the database, in_use or idle.", ["state"]
)
POOL_SIZE = Gauge("rapport_db_pool_size", "How many connections to the database there may be.")
POOL_WAITING = Gauge("rapport_db_pool_waiting", "What waits for a connection to the database.")
POOL_TIMEOUTS = Counter(
    "rapport_db_pool_timeouts", "Refusals because no connection to the database was free for 2 seconds."
)

FACTS = Counter("rapport_facts_recorded", "Facts that were committed, by type of event.", ["type"])
OUTBOX_UNPUBLISHED = Gauge(
    "rapport_outbox_unpublished", "Facts that wait for publication. The same in every replica."
)
OUTBOX_OLDEST = Gauge(
    "rapport_outbox_oldest_seconds",
    "The age of the oldest fact that waits for publication. The same in every replica.",
)
STREAM_LOST = Gauge("rapport_stream_lost", "1 while the broker lacks events that it once took.")
CONSUMER_PENDING = Snapshot(
    "rapport_consumer_pending_events",
    "Events in the stream that a consumer has not applied. The same in every replica.",
    ("consumer", "source"),
)
CONSUMER_LAG = Snapshot(
    "rapport_consumer_lag_seconds",
    "All that the source committed before so long ago is applied here; since the start when that is not "
    "known. The same in every replica.",
    ("consumer", "source"),
)
CONSUMED = Counter(
    "rapport_consumer_events",
    "Events handled: applied, parked to be tried again, given_up (a dead letter), unknown to this release.",
    ["consumer", "outcome"],
)
SET_ASIDE = Snapshot(
    "rapport_events_set_aside",
    "Events set aside: PARKED is tried again, DEAD is a dead letter. The same in every replica.",
    ("consumer", "state"),
)
SET_ASIDE_OLDEST = Snapshot(
    "rapport_events_set_aside_oldest_seconds",
    "The age of the oldest event set aside. The same in every replica.",
    ("consumer", "state"),
)

TIMER_RUNS = Counter("rapport_timer_runs", "Timers that were done or failed.", ["kind", "outcome"])
TIMERS_OVERDUE = Gauge(
    "rapport_timers_overdue", "Timers that were due a minute ago. The same in every replica."
)
TIMERS_LATE = Gauge(
    "rapport_timers_late_seconds", "How late the latest of the overdue timers is. The same in every replica."
)
WORK_OUTCOMES = Counter("rapport_work_outcomes", "Attempts at work by how they ended.", ["kind", "verdict"])
WORK_REPEATS = Counter("rapport_work_repeats", "Attempts made after one whose outcome is unknown.", ["kind"])
WORK_LIVE = Gauge(
    "rapport_work_live",
    "Work that has not ended, by how far it is. The same in every replica.",
    ["kind", "state"],
)
WORK_ALARMS = Gauge(
    "rapport_work_alarms",
    "Work that waits for us to mend something: a login, a quota. The same in every replica.",
    ["kind"],
)
WORK_OVERDUE = Snapshot(
    "rapport_work_overdue", "Work that was due a minute ago. The same in every replica.", ("kind",)
)


async def watch_loop() -> None:
    """Measure for ever how late the event loop is: what blocks it delays health and deadlines alike."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG.set(max(0.0, loop.time() - before - LAG_EVERY_S))
