"""What `rapport deploy prepare` writes is taken by the charts: rendered, and valid for Kubernetes."""

import json
import re
from collections.abc import Callable, Iterator
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
PAGE = (ROOT / "docs" / "operations.md").read_text()
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
    [command] = re.findall(r"^.*helm install [^\n]*crm/values/notifications.json.*$", PAGE, re.MULTILINE)
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


def said() -> dict[str, Any]:
    """The options of the page's own command for production."""
    [command] = re.findall(r"^rapport deploy prepare .*--out production (.*)$", PAGE, re.MULTILINE)
    options = re.findall(r"--([a-z-]+)(?: (?!--)(\S+))?", command)
    return {option.replace("-", "_"): value or True for option, value in options}


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    """What that command prepares."""
    return content(**said())


def installed(service: str, prepared: dict[str, Any]) -> Object:
    """The values of a service in production, file after file as the page gives them to Helm."""
    [command] = re.findall(rf"^for service in .*\b{service}\b.*; do (helm upgrade .*)$", PAGE, re.MULTILINE)
    *own, ours = re.findall(r"-f (\S+)", command.replace("$service", service))
    layers = [yaml.safe_load((ROOT / file).read_text()) for file in own]
    return merged(*layers, prepared[ours.removeprefix("production/")])


@pytest.mark.parametrize("service", SERVICES)
def test_production_is_encrypted_watched_and_confined(
    render: Render, problems: Problems, production: dict[str, Any], service: str
) -> None:
    objects = render(service, installed(service, production))
    assert [fault for each in objects for fault in problems(each, "1.27")] == []
    kinds = {each["kind"]: each for each in objects}
    assert {"Certificate", "ServiceMonitor", "PrometheusRule", "PodDisruptionBudget"} <= kinds.keys()
    config = kinds["ConfigMap"]["data"]
    assert {"RAPPORT_TLS_DIR", "RAPPORT_DATABASE_TLS_DIR", "RAPPORT_NATS_TLS_DIR"} <= config.keys()
    assert config["RAPPORT_REPLICAS"] == "3"
    assert config["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4317"
    _dns, *rest = kinds["NetworkPolicy"]["spec"]["egress"]
    assert all(rule["to"] for rule in rest)
    alerts = [each for group in kinds["PrometheusRule"]["spec"]["groups"] for each in group["rules"]]
    assert all("runbook_url" in each["annotations"] for each in alerts if "alert" in each)


@pytest.mark.parametrize("service", SERVICES)
def test_what_production_names_is_prepared_or_on_the_pages_list_of_what_to_make(
    render: Render, production: dict[str, Any], service: str
) -> None:
    objects = render(service, installed(service, production))
    made = {(each["kind"], each["metadata"]["name"]) for each in objects}
    made |= {
        (each["kind"], each["metadata"]["name"])
        for path in production
        if path.startswith("manifests/")
        for each in production[path]["items"]
    }
    [table] = re.findall(r"^What you make.*?^Each department", PAGE, re.MULTILINE | re.DOTALL)
    listed = {("Secret", name) for name in re.findall(r"`([a-z-]+)`", table)}
    assert named(objects) - made - {("Secret", f"{service}-tls")} <= listed  # which cert-manager makes


def test_the_collector_that_production_sends_to_is_installed_and_no_nats_without_tls(
    render: Render, production: dict[str, Any]
) -> None:
    [told] = re.findall(r"deploy/helm/infra .*production/values/infra.json --set (\S+)", PAGE)
    own: Object = {}
    for path, value in (each.split("=") for each in told.split(",")):
        part, key = path.split(".")
        own = merged(own, {part: {key: yaml.safe_load(value)}})
    kinds = {
        (each["kind"], each["metadata"]["name"])
        for each in render("infra", merged(production["values/infra.json"], own))
    }
    assert ("Service", "collector") in kinds
    assert ("StatefulSet", "nats") not in kinds


@pytest.mark.parametrize("nats_tls", ["", "broker-authority"])
@pytest.mark.parametrize("service", SERVICES)
def test_in_production_the_setup_begins_with_settings_that_go_together(
    render: Render, monkeypatch: pytest.MonkeyPatch, service: str, nats_tls: str
) -> None:
    prepared = content(**said() | {"nats_tls": nats_tls})
    [job] = [each for each in render(service, installed(service, prepared)) if each["kind"] == "Job"]
    secrets = {each["metadata"]["name"]: each for each in prepared[f"manifests/{service}.json"]["items"]}
    [declared] = [each for each in load_services() if each.name == service]
    for container in job["spec"]["template"]["spec"]["initContainers"]:
        for variable in container["env"]:
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            ours = secrets.get(ref["name"]) if ref else None
            told = ours["stringData"][ref["key"]] if ours else variable.get("value", "of yours")
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
