"""The configuration that the infra chart hands to NATS is one that NATS accepts."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.telemetry import exporting
from tests.charts.conftest import content

Object = dict[str, Any]
Render = Callable[..., list[Object]]


@pytest.fixture(scope="module")
def auth() -> str:
    """What is in the broker's secret: the accounts of the installed services."""
    [secret] = content()["manifests/01-broker.json"]["items"]
    return str(secret["stringData"]["auth.conf"])


def config(objects: list[Object], name: str, key: str) -> str:
    [found] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", name)]
    return str(found["data"][key])


@pytest.mark.parametrize("replicas", [1, 3, 5])
def test_nats_accepts_its_configuration(render: Render, tmp_path: Path, auth: str, replicas: int) -> None:
    text = config(render("infra", {"nats": {"replicas": replicas}}), "nats", "nats.conf")
    (tmp_path / "nats.conf").write_text(text)
    (tmp_path / "auth.conf").write_text(auth)
    checked = subprocess.run(
        [Path(sys.executable).parent / "nats-server", "-t", "--config", tmp_path / "nats.conf"],
        env={**os.environ, "POD_NAME": "nats-0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "is valid" in checked.stderr


def test_an_acknowledged_event_is_on_disk(render: Render) -> None:
    assert "sync_interval: always" in config(render("infra"), "nats", "nats.conf")


@pytest.mark.parametrize("replicas", [3, 5])
def test_every_server_is_a_route_of_the_cluster(render: Render, replicas: int) -> None:
    text = config(render("infra", {"nats": {"replicas": replicas}}), "nats", "nats.conf")
    assert [line.strip() for line in text.splitlines() if "nats://" in line] == [
        f"nats://nats-{i}.nats-cluster:6222" for i in range(replicas)
    ]


def collector(render: Render, **values: Any) -> Object:
    given = {"collector": {"enabled": True, "endpoint": "tempo:4317", "insecure": True, **values}}
    found = yaml.safe_load(config(render("infra", given), "collector", "collector.yaml"))
    assert isinstance(found, dict)
    return found


def test_the_collector_forwards_to_the_endpoint_it_was_given(render: Render) -> None:
    parsed = collector(render)
    assert parsed["exporters"]["otlp"] == {"endpoint": "tempo:4317", "tls": {"insecure": True}}
    assert parsed["service"]["pipelines"]["traces"]["exporters"] == ["otlp"]


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_trace_is_judged_whole_by_one_collector(render: Render, replicas: int) -> None:
    """Of several, each passes spans on by the id of their trace, to the headless Service of all."""
    parsed = collector(render, replicas=replicas)
    pipelines = parsed["service"]["pipelines"]
    used = {name: part for line in pipelines.values() for part, names in line.items() for name in names}
    assert all(name in parsed[part] for name, part in used.items())
    assert ("loadbalancing" in used) == (replicas > 1)
    judging = [line for line in pipelines.values() if "tail_sampling" in line["processors"]]
    assert [line["exporters"] for line in judging] == [["otlp"]]
    if replicas > 1:
        balanced = parsed["exporters"]["loadbalancing"]
        assert balanced["routing_key"] == "traceID"
        given = {"collector": {"enabled": True, "endpoint": "tempo:4317", "replicas": replicas}}
        [service] = [
            each["spec"]
            for each in render("infra", given)
            if (each["kind"], each["metadata"]["name"]) == ("Service", "collector-whole")
        ]
        assert balanced["resolver"]["dns"] == {
            "hostname": "collector-whole.crm.svc",
            "port": str(service["ports"][0]["port"]),
        }
        assert service["clusterIP"] == "None"
        assert parsed["receivers"]["otlp/whole"]["protocols"]["grpc"]["endpoint"] == "0.0.0.0:4319"


def test_the_collector_lets_through_what_a_service_may_send_and_who_sends_it(render: Render) -> None:
    allowed = set(collector(render)["processors"]["redaction"]["allowed_keys"])
    assert allowed >= exporting.ALLOWED
    resource = exporting.provider("cases", SimpleSpanProcessor(InMemorySpanExporter())).resource
    assert allowed >= resource.attributes.keys()
    assert not {"enduser.id", "exception.message", "http.url", "client.address"} & allowed
