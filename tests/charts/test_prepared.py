"""What `rapport deploy prepare` writes is taken by the charts: rendered, and valid for Kubernetes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rapport_tools.deploy.members import members
from rapport_tools.deploy.plan import Installation, files
from tests.charts.conftest import SERVICES
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
