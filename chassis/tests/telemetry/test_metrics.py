"""What Prometheus reads."""

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry

from chassis.telemetry import metrics
from chassis.telemetry.metrics import Histogram
from rapport_testing.wait import eventually


def test_a_histogram_accumulates_its_buckets() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("sample_seconds", "A sample.", ("method",), registry)
    for seconds in (0.0004, 0.002, 0.002, 99):
        histogram.observe(("m",), seconds)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"method": "m", **labels})

    assert value("sample_seconds_bucket", le="0.0005") == 1
    assert value("sample_seconds_bucket", le="0.0025") == 3
    assert value("sample_seconds_bucket", le="30.0") == 3
    assert value("sample_seconds_bucket", le="+Inf") == 4
    assert value("sample_seconds_sum") == 99.0044


async def test_a_blocked_event_loop_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LAG_EVERY_S", -1)  # so that every look comes a second late
    watching = asyncio.create_task(metrics.watch_loop())
    await eventually(lambda: metrics.LOOP_LAG._value.get() >= 1)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
