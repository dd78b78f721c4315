"""Metrics that Prometheus reads: how long RPCs take, and how late the event loop is.

What is counted less often than once an RPC uses `prometheus_client` directly.
"""

import asyncio
import bisect
from collections.abc import Iterator

from prometheus_client import REGISTRY, Gauge
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_EVERY_S = 0.5

Labels = tuple[str, ...]


class Histogram(Collector):
    """Durations in seconds, in buckets, by label values.

    Observed on the event loop alone, it needs no lock and costs under a microsecond.
    """

    def __init__(
        self, name: str, description: str, labels: Labels, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._family = name, description, labels
        self._series: dict[Labels, list[float]] = {}  # a count for each bucket, one above all, and the sum
        registry.register(self)

    def observe(self, values: Labels, seconds: float) -> None:
        """Count one duration."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = [0] * (len(BUCKETS_S) + 2)
        series[bisect.bisect_left(BUCKETS_S, seconds)] += 1
        series[-1] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The series as Prometheus has them: buckets that accumulate."""
        name, description, labels = self._family
        family = HistogramMetricFamily(name, description, labels=labels)
        for values, (*counts, total) in list(self._series.items()):
            buckets, so_far = [], 0.0
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=True):
                so_far += count
                buckets.append((bound, so_far))
            family.add_metric(values, buckets, total)
        yield family


async def watch_loop() -> None:
    """Measure for ever how late the event loop is: what blocks it delays health and deadlines alike."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG.set(max(0.0, loop.time() - before - LAG_EVERY_S))


RPC_DURATION = Histogram("rpc_server_duration_seconds", "Time to answer an RPC.", ("method", "code"))
LOOP_LAG = Gauge("event_loop_lag_seconds", "How late the event loop was at the last look.")
