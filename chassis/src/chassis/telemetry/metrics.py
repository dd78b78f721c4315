"""Metrics without locks: plain numbers changed on the event loop, read by Prometheus when it asks.

An instrument of a metrics SDK costs 14 us a call; a bucket counter costs one.
"""

import asyncio
import bisect
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_EVERY_S = 0.5

Labels = tuple[str, ...]


class Histogram:
    """Durations in seconds, in buckets, by label values."""

    def __init__(self, name: str, description: str, labels: Labels) -> None:
        self._family = name, description, labels
        self._series: dict[Labels, list[float]] = {}  # a count for each bucket, one above all, and the sum
        _registered.append(self.collect)

    def observe(self, values: Labels, seconds: float) -> None:
        """Count one duration."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = [0] * (len(BUCKETS_S) + 2)
        series[bisect.bisect_left(BUCKETS_S, seconds)] += 1
        series[-1] += seconds

    def collect(self) -> Metric:
        """The series as Prometheus has them: buckets that accumulate."""
        name, description, labels = self._family
        family = HistogramMetricFamily(name, description, labels=labels)
        for values, (*counts, total) in list(self._series.items()):
            buckets, sum_so_far = [], 0.0
            for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=True):
                sum_so_far += count
                buckets.append((bound, sum_so_far))
            family.add_metric(values, buckets, total)
        return family


class Counter:
    """Something that happens, by label values."""

    def __init__(self, name: str, description: str, labels: Labels = ()) -> None:
        self._family = name, description, labels
        self._series: dict[Labels, float] = {}
        _registered.append(self.collect)

    def add(self, values: Labels = (), amount: float = 1) -> None:
        """Count."""
        self._series[values] = self._series.get(values, 0) + amount

    def collect(self) -> Metric:
        """The series as Prometheus has them."""
        name, description, labels = self._family
        family = CounterMetricFamily(name, description, labels=labels)
        for values, value in list(self._series.items()):
            family.add_metric(values, value)
        return family


def gauge(name: str, description: str, read: Callable[[], float], **labels: str) -> None:
    """Show what `read` returns, under `name` and `labels`. A second registration replaces the first."""
    _gauges.setdefault((name, description, tuple(labels)), {})[tuple(labels.values())] = read


async def watch_loop() -> None:
    """Measure for ever how late the event loop is: what blocks it delays health and deadlines alike."""
    lag = [0.0]
    gauge("event_loop_lag_seconds", "How late the event loop was at the last look.", lambda: lag[0])
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        lag[0] = max(0.0, loop.time() - before - LAG_EVERY_S)


_registered: list[Callable[[], Metric]] = []
_gauges: dict[tuple[str, str, Labels], dict[Labels, Callable[[], float]]] = {}


class _Collector:
    def collect(self) -> Iterator[Metric]:
        """Everything this process counts."""
        for family in _registered:
            yield family()
        for (name, description, labels), series in list(_gauges.items()):
            metric = GaugeMetricFamily(name, description, labels=labels)
            for values, read in list(series.items()):
                metric.add_metric(values, read())
            yield metric

    def describe(self) -> list[Any]:
        """Nothing in advance: instruments come and go."""
        return []


REGISTRY.register(_Collector())

RPC_DURATION = Histogram("rpc_server_duration_seconds", "Time to answer an RPC.", ("method", "code"))
