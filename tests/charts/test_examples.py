"""The examples of deploy/examples are what CloudNativePG and Kubernetes know.

The kinds of CloudNativePG are written down here as far as they are used, closed against anything else, after
the CustomResourceDefinitions of github.com/cloudnative-pg/cloudnative-pg 1.25 (Apache-2.0).
"""

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import yaml

from tests.charts.conftest import ROOT, Render

Problems = Callable[[dict[str, Any], str], Iterator[str]]
FOLDER = ROOT / "deploy" / "examples"


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*properties],
        "properties": properties,
    }


NAME = closed(name={"type": "string"})
COUNT = {"type": "integer", "minimum": 1}
AMOUNTS = {"type": "object", "additionalProperties": {"type": "string"}}
SPECS = {
    "Cluster": closed(
        instances=COUNT,
        storage=closed(size={"type": "string", "pattern": "^[0-9]+Gi$"}),
        postgresql=closed(
            synchronous=closed(method={"enum": ["any", "first"]}, number=COUNT),
            parameters={"type": "object", "additionalProperties": {"type": "string"}},
        ),
        resources=closed(requests=AMOUNTS, limits=AMOUNTS),
    ),
}
OBJECTS = list(yaml.safe_load_all((FOLDER / "postgresql.yaml").read_text()))


def test_cloudnativepg_knows_what_it_is_told() -> None:
    for each in OBJECTS:
        whole = closed(
            apiVersion={"const": "postgresql.cnpg.io/v1"},
            kind={"const": each["kind"]},
            metadata=NAME,
            spec=SPECS[each["kind"]],
        )
        jsonschema.validate(each, whole)


def test_a_commit_is_on_another_machine() -> None:
    [cluster] = OBJECTS
    assert cluster["spec"]["instances"] > cluster["spec"]["postgresql"]["synchronous"]["number"]


def test_kubernetes_knows_the_mailbox(problems: Problems) -> None:
    found = yaml.safe_load_all((FOLDER / "mailbox.yaml").read_text())
    assert [line for each in found for line in problems(each, "1.27")] == []


def test_notifications_reaches_the_mailbox(render: Render) -> None:
    values = yaml.safe_load((FOLDER / "mailbox-values.yaml").read_text())
    objects = render("rapport", values)
    [config] = [
        each["data"]
        for each in objects
        if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", "notifications")
    ]
    _, service = yaml.safe_load_all((FOLDER / "mailbox.yaml").read_text())
    port = next(each["port"] for each in service["spec"]["ports"] if each["name"] == "smtp")
    assert (config["RAPPORT_SMTP_HOST"], config["RAPPORT_SMTP_PORT"]) == (
        service["metadata"]["name"],
        str(port),
    )
    [policy] = [
        each["spec"]
        for each in objects
        if (each["kind"], each["metadata"]["name"]) == ("NetworkPolicy", "notifications")
    ]
    assert any({"port": port} in rule["ports"] for rule in policy["egress"] if "ports" in rule)
