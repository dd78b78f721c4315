"""What Prometheus reads."""

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from chassis.telemetry import metrics
from chassis.telemetry.metrics import Histogram, Snapshot
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


def test_a_bucket_names_the_trace_of_a_recent_call_to_who_takes_openmetrics() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("sample_seconds", "A sample.", ("method",), registry)
    histogram.observe(("m",), 0.002, "ab" * 16)
    histogram.observe(("m",), 0.002)
    told = openmetrics.generate_latest(registry).decode()
    [line] = [line for line in told.splitlines() if "trace_id" in line]
    assert 'le="0.0025"' in line
    assert f'# {{trace_id="{"ab" * 16}"}} 0.002' in line
    assert "trace_id" not in generate_latest(registry).decode()


def test_of_what_is_measured_together_the_old_goes() -> None:
    registry = CollectorRegistry()
    snapshot = Snapshot("waiting", "What waits.", ("kind",), registry)
    snapshot.replace({("a",): 1, ("b",): 2})
    snapshot.replace({("b",): 3})
    assert registry.get_sample_value("waiting", {"kind": "a"}) is None
    assert registry.get_sample_value("waiting", {"kind": "b"}) == 3


async def test_a_blocked_event_loop_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LAG_EVERY_S", -1)  # so that every look comes a second late
    watching = asyncio.create_task(metrics.watch_loop())
    await eventually(lambda: metrics.LOOP_LAG._value.get() >= 1)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
