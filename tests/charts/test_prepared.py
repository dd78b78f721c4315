"""What `rapport deploy prepare` writes is taken by the charts: rendered, and valid for Kubernetes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from rapport_tools.deploy.members import members
from rapport_tools.deploy.plan import Installation, files
from tests.charts.conftest import ROOT, SERVICES, SOURCE
from tests.charts.needed import SMTP

Object = dict[str, Any]
Render = Callable[..., list[Object]]
Problems = Callable[[Object, str], Iterator[str]]


@pytest.fixture(scope="module")
def prepared() -> dict[str, Any]:
    """The content of each file of an installation, with all that can be turned on."""
    made = files(
        Installation(
            members(SERVICES, "crm"), "crm", "postgres-rw", lambda user: f"p-{user}", "rapport", "", "{}",
            "https://cluster.example.org", "{}", tls_issuer="rapport", monitoring=True,
        )
    )  # fmt: skip
    return {path: json.loads(text) for path, text in made.items() if path.endswith(".json")}


@pytest.mark.parametrize("chart", [*SERVICES, "infra", "nats", "rapport"])
def test_values_are_those_of_the_chart(
    render: Render, problems: Problems, prepared: dict[str, Any], chart: str
) -> None:
    values = prepared[f"values/{chart}.json"]
    if chart == "notifications":
        values = values | SMTP
    if chart == "rapport":
        values = values | {"notifications": values["notifications"] | SMTP}
    objects = render(chart, values)
    assert [each for found in objects for each in problems(found, "1.27")] == []


def test_a_department_without_a_chart_of_its_own_has_the_generic_one(
    render: Render, prepared: dict[str, Any]
) -> None:
    assert render("service", prepared["values/loyalty.json"])


def test_manifests_are_what_kubernetes_knows(problems: Problems, prepared: dict[str, Any]) -> None:
    items = [each for path in prepared if path.startswith("manifests/") for each in prepared[path]["items"]]
    assert [fault for each in items for fault in problems(each, "1.27")] == []


def test_the_secrets_that_charts_name_are_prepared(render: Render, prepared: dict[str, Any]) -> None:
    items = prepared["manifests/cases.json"]["items"] + prepared["manifests/broker.json"]["items"]
    made = {each["metadata"]["name"] for each in items}
    text = json.dumps(render("cases", prepared["values/cases.json"]))
    for name in ("cases-database", "cases-database-owner", "cases-nats", "rapport-nats-admin"):
        assert name in made
        assert f'"{name}"' in text


def test_the_first_look_of_the_page_renders(
    render: Render, problems: Problems, prepared: dict[str, Any]
) -> None:
    """With small values, those that are prepared, and the mailbox's, as Helm puts them together."""
    small = [
        yaml.safe_load((SOURCE / chart / "values-small.yaml").read_text()) for chart in ("infra", "rapport")
    ]
    mailbox = yaml.safe_load((ROOT / "deploy" / "examples" / "mailbox-values.yaml").read_text())
    infra = render("infra", merged(small[0], prepared["values/infra.json"]))
    services = render("rapport", merged(merged(small[1], prepared["values/rapport.json"]), mailbox))
    assert [each for found in infra + services for each in problems(found, "1.27")] == []
    made = {
        (each["kind"], each["metadata"]["name"])
        for path in prepared
        if path.startswith("manifests/")
        for each in prepared[path]["items"]
    }
    assert named(services) - made - {(each["kind"], each["metadata"]["name"]) for each in services} == {
        ("Secret", f"{name}-tls")
        for name in SERVICES  # cert-manager makes those
    }


def merged(below: Object, above: Object) -> Object:
    both = {
        key: merged(below[key], above[key])
        for key in below.keys() & above.keys()
        if isinstance(above[key], dict)
    }
    return {**below, **above, **both}


def named(found: Any) -> set[tuple[str, str]]:
    """The secrets and ConfigMaps that objects name."""
    if isinstance(found, list):
        return {each for one in found for each in named(one)}
    if not isinstance(found, dict):
        return set()
    kinds = {"secretKeyRef": "Secret", "configMap": "ConfigMap", "configMapRef": "ConfigMap"}
    here = {(kind, found[key]["name"]) for key, kind in kinds.items() if isinstance(found.get(key), dict)}
    if "secretName" in found:
        here.add(("Secret", found["secretName"]))
    return here.union(*map(named, found.values()))
