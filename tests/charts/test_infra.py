"""The configuration that the infra chart hands to NATS is one that NATS accepts."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Object = dict[str, Any]
Render = Callable[..., list[Object]]

AUTH = 'authorization { users: [ { user: a, password: x, permissions: { publish: ["events.a.>"] } } ] }'


def config(objects: list[Object], name: str, key: str) -> str:
    [found] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", name)]
    return str(found["data"][key])


@pytest.mark.parametrize("replicas", [1, 3, 5])
def test_nats_accepts_its_configuration(render: Render, tmp_path: Path, replicas: int) -> None:
    text = config(render("infra", {"nats": {"replicas": replicas}}), "nats", "nats.conf")
    (tmp_path / "nats.conf").write_text(text)
    (tmp_path / "auth.conf").write_text(AUTH)
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


def test_the_collector_forwards_to_the_endpoint_it_was_given(render: Render) -> None:
    values = {"collector": {"enabled": True, "endpoint": "tempo:4317", "insecure": True}}
    parsed = yaml.safe_load(config(render("infra", values), "collector", "collector.yaml"))
    assert parsed["exporters"]["otlp"] == {"endpoint": "tempo:4317", "tls": {"insecure": True}}
    assert parsed["service"]["pipelines"]["traces"]["exporters"] == ["otlp"]
