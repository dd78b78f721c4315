"""The official NATS chart is handed values that it knows, which make it what services need.

No test fetches that chart: what it knows is written down, after its values.yaml and templates, version
2.14.2, of github.com/nats-io/k8s (Apache-2.0).
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

Object = dict[str, Any]
Render = Callable[..., list[Object]]

VERSION = "2.14.2"
KNOWN = {
    "fullnameOverride",
    "nameOverride",
    "global.labels",
    "config.cluster.enabled",
    "config.cluster.replicas",
    "config.jetstream.enabled",
    "config.jetstream.fileStore.pvc.size",
    "config.jetstream.fileStore.pvc.storageClassName",
    "config.jetstream.fileStore.maxSize",
    "config.jetstream.memoryStore.enabled",
    "config.jetstream.merge",
    "config.nats.tls.enabled",
    "config.nats.tls.secretName",
    "config.merge",
    "container.env",
    "container.merge",
    "container.patch",
    "reloader.enabled",
    "reloader.merge",
    "podTemplate.topologySpreadConstraints",
    "podTemplate.merge",
    "podTemplate.patch",
    "podDisruptionBudget.enabled",
    "natsBox.enabled",
}
# What the chart takes as it is: configuration, or parts of Kubernetes' objects.
AS_IT_IS = ("merge", "patch", "labels", "env", "topologySpreadConstraints")


@pytest.fixture(scope="module")
def official(charts: Path) -> Object:
    values = yaml.safe_load((charts / "nats" / "values.yaml").read_text())["official"]
    assert isinstance(values, dict)
    return values


def keys(values: Object, above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and key not in AS_IT_IS:
            yield from keys(value, f"{above}{key}.")
        else:
            yield above + key


def test_the_chart_knows_every_value_that_it_is_handed(charts: Path, official: Object) -> None:
    assert set(keys(official)) == KNOWN
    [pinned] = yaml.safe_load((charts / "nats" / "Chart.yaml").read_text())["dependencies"]
    assert (pinned["name"], pinned["alias"], pinned["version"]) == ("nats", "official", VERSION)


def test_acknowledged_events_are_on_the_disks_of_three_servers(official: Object) -> None:
    config = official["config"]
    assert (config["cluster"]["enabled"], config["cluster"]["replicas"]) == (True, 3)
    assert config["jetstream"]["merge"] == {"sync_interval": "always"}
    assert config["merge"]["max_payload"] == "<< 512KB >>"  # else it would be text, which NATS refuses


def test_accounts_are_read_from_the_secret_and_again_when_it_changes(official: Object) -> None:
    """The reloader is given what is mounted below /etc."""
    [volume] = [each["value"] for each in official["podTemplate"]["patch"]]
    [mount] = [each["value"] for each in official["container"]["patch"]]
    [included] = [path for key, path in official["config"]["merge"].items() if key.endswith("$include")]
    assert volume["name"] == mount["name"]
    assert PurePosixPath("/etc/nats-config/..") / included.removeprefix("../") == PurePosixPath(
        f"/etc/nats-config/../{PurePosixPath(mount['mountPath']).name}/auth.conf"
    )
    assert mount["mountPath"].startswith("/etc/")
    assert volume["secret"] == {"secretName": "rapport-nats-auth"}
    assert official["reloader"]["enabled"] is True


def test_its_pods_are_restricted_and_spread_and_ask_for_what_they_need(official: Object) -> None:
    spec = official["podTemplate"]["merge"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for part in ("container", "reloader"):
        merged = official[part]["merge"]
        assert merged["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert merged["resources"]["requests"].keys() == {"cpu", "memory"}
    assert official["podDisruptionBudget"]["enabled"] is True
    assert len(official["podTemplate"]["topologySpreadConstraints"]) == 2


@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_who_is_listed_reaches_it_and_nobody_else(
    render: Render, problems: Callable[[Object, str], Iterator[str]], version: str
) -> None:
    there = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "billing"}}}
    [policy] = render("nats", {"networkPolicy": {"clients": [there], "scrapers": []}})
    assert list(problems(policy, version)) == []
    assert policy["spec"]["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "nats",
        "app.kubernetes.io/instance": "nats",
        "app.kubernetes.io/component": "nats",
    }
    rules = {rule["ports"][0]["port"]: rule["from"] for rule in policy["spec"]["ingress"]}
    assert rules.keys() == {"nats", "cluster"}
    assert there in rules["nats"]
    assert there not in rules["cluster"]
    assert "monitor" in json.dumps(render("nats"))
