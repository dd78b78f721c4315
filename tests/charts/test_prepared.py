"""What `rapport deploy prepare` writes is taken by the charts: rendered, and valid for Kubernetes."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.settings import load
from rapport_tools.local.installed import load_services
from tests.charts.conftest import ROOT, SERVICES, SOURCE, content
from tests.charts.needed import SMTP
from tests.helm import merged

Object = dict[str, Any]
Render = Callable[..., list[Object]]
Problems = Callable[[Object, str], Iterator[str]]
LISTED = str.maketrans("{}", "[]")  # as Helm writes lists


@pytest.fixture(scope="module")
def prepared() -> dict[str, Any]:
    """The content of each file of an installation, with all that can be turned on."""
    return content(tls_issuer="rapport", monitoring=True)


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
    items = prepared["manifests/cases.json"]["items"]
    made = {each["metadata"]["name"] for each in items}
    text = json.dumps(render("cases", prepared["values/cases.json"]))
    for name in ("cases-database", "cases-database-owner", "cases-nats", "cases-nats-admin"):
        assert name in made
        assert f'"{name}"' in text


def test_the_first_look_of_the_page_renders(render: Render, problems: Problems) -> None:
    """With small values, those that are prepared, and the mailbox's, as Helm puts them together."""
    prepared = content(tls_issuer="rapport", monitoring=True, nats_servers=1)
    small = [
        yaml.safe_load((SOURCE / chart / "values-small.yaml").read_text()) for chart in ("infra", "rapport")
    ]
    mailbox = yaml.safe_load((ROOT / "deploy" / "examples" / "mailbox-values.yaml").read_text())
    infra = render("infra", merged(small[0], prepared["values/infra.json"]))
    services = render("rapport", merged(small[1], prepared["values/rapport.json"], mailbox))
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


@pytest.mark.parametrize("service", SERVICES)
def test_the_first_look_of_each_service_alone_renders(
    render: Render, problems: Problems, service: str
) -> None:
    """With what the page's own command sets beside what is prepared."""
    page = (ROOT / "docs" / "operations.md").read_text()
    [command] = re.findall(r"^.*helm install [^\n]*crm/values/notifications.json.*$", page, re.MULTILINE)
    every, mail = command.split("&&")
    values: Object = content(nats_servers=1)[f"values/{service}.json"]
    for option, told in re.findall(r"--(set|set-string) ([^;\s]+)", mail if service in mail else every):
        for path, value in re.findall(r"([\w.]+)=('\{[^}]*\}'|[^,]+)", told):
            read = value if option == "set-string" else yaml.safe_load(value.strip("'").translate(LISTED))
            for key in reversed(path.split(".")):
                read = {key: read}
            values = merged(values, read)
    assert values["setup"]["streamReplicas"] == 1
    assert [fault for each in render(service, values) for fault in problems(each, "1.27")] == []


@pytest.mark.parametrize("nats_tls", ["", "broker-authority"])
@pytest.mark.parametrize("service", SERVICES)
def test_in_production_the_setup_begins_with_settings_that_go_together(
    render: Render, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: str, nats_tls: str
) -> None:
    """As the page installs it: values-production.yaml below what is prepared."""
    prepared = content(nats_tls=nats_tls)
    production = yaml.safe_load((SOURCE / "values-production.yaml").read_text())
    values = merged(production, prepared[f"values/{service}.json"])
    objects = render(service, values | SMTP if service == "notifications" else values)
    [job] = [each for each in objects if each["kind"] == "Job"]
    secrets = {each["metadata"]["name"]: each for each in prepared[f"manifests/{service}.json"]["items"]}
    [declared] = [each for each in load_services() if each.name == service]
    for container in job["spec"]["template"]["spec"]["initContainers"]:
        for variable in container["env"]:
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            told = secrets[ref["name"]]["stringData"][ref["key"]] if ref else variable["value"]
            monkeypatch.setenv(variable["name"], told)
    assert bool(load(declared.settings).nats_tls_dir) == bool(nats_tls)


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
