"""Families of metrics that `prometheus_client` has none for, or none that is quick enough."""

import bisect
import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Exemplar

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Labels = tuple[str, ...]


class Histogram(Collector):
    """Durations in seconds, in buckets, by label values; of each bucket the trace of a recent one, if any.

    Observed on the event loop alone, it needs no lock and costs under a microsecond.
    """

    def __init__(
        self, name: str, description: str, labels: Labels, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._family = name, description, labels
        self._series: dict[Labels, list[float]] = {}  # a count for each bucket, one above all, and the sum
        self._exemplars: dict[tuple[Labels, int], Exemplar] = {}
        registry.register(self)

    def observe(self, values: Labels, seconds: float, trace_id: str = "") -> None:
        """Count one duration, and keep its trace when it is recorded."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = [0] * (len(BUCKETS_S) + 2)
        bucket = bisect.bisect_left(BUCKETS_S, seconds)
        series[bucket] += 1
        series[-1] += seconds
        if trace_id:
            self._exemplars[values, bucket] = Exemplar({"trace_id": trace_id}, seconds, time.time())

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The family without its series."""
        name, description, labels = self._family
        yield HistogramMetricFamily(name, description, labels=labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The series as Prometheus has them: buckets that accumulate."""
        [family] = self.describe()
        for values, (*counts, total) in list(self._series.items()):
            buckets: list[Any] = []  # with an exemplar or None, which the stubs do not know
            so_far = 0.0
            for i, (bound, count) in enumerate(zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=True)):
                so_far += count
                buckets.append((bound, so_far, self._exemplars.get((values, i))))
            family.add_metric(values, buckets, total)
        yield family


class Snapshot(Collector):
    """Gauges that are measured together: what was there last time and is no more, goes."""

    def __init__(
        self, name: str, description: str, labels: Labels, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._family = name, description, labels
        self._values: Mapping[Labels, float] = {}
        registry.register(self)

    def replace(self, values: Mapping[Labels, float]) -> None:
        """What there is now, by label values."""
        self._values = values

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The family without its series."""
        name, description, labels = self._family
        yield GaugeMetricFamily(name, description, labels=labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The series."""
        [family] = self.describe()
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family
