"""What Prometheus reads."""

import asyncio
import contextlib

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from chassis.grpc import admission
from chassis.telemetry import metrics
from chassis.telemetry.metrics import Snapshot
from rapport_testing.wait import eventually


def test_a_bucket_names_the_trace_of_a_recent_call_to_who_takes_openmetrics() -> None:
    admission.note(None, "sample.v1.Samples/Get", "OK", 0.002, "ab" * 16)
    admission.note(None, "sample.v1.Samples/Get", "OK", 0.002, "")
    told = openmetrics.generate_latest(REGISTRY).decode()
    [line] = [line for line in told.splitlines() if "ab" * 16 in line]
    assert (
        'rpc_server_duration_seconds_bucket{code="OK",le="0.0025",method="sample.v1.Samples/Get"} 2' in line
    )
    assert f'# {{trace_id="{"ab" * 16}"}} 0.002' in line
    assert "ab" * 16 not in generate_latest(REGISTRY).decode()


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
