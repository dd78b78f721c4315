"""The charts speak of the services as they are: their ports, their settings, their need of a token."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import ServiceSettings
from deploy.services import SERVICES

ROOT = Path(__file__).parents[2]
Object = dict[str, Any]
Render = Callable[..., list[Object]]


def declaration(service: str) -> Any:
    return import_module(f"{service}.service").service


def variables(objects: list[Object]) -> set[str]:
    """The RAPPORT_ variables of every pod, those of the ConfigMap included."""
    return set(re.findall(r"RAPPORT_[A-Z0-9_]+", str(objects)))


def known_to(service: str) -> set[str]:
    """The variables that a service reads: each setting, and a file of it."""
    names = {f"RAPPORT_{name.upper()}" for name in declaration(service).settings.model_fields}
    return names | {f"{name}_FILE" for name in names}


@pytest.mark.parametrize("service", SERVICES)
def test_a_chart_listens_where_the_service_does(render: Render, service: str) -> None:
    [found] = [each for each in render(service) if each["kind"] == "Service"]
    listens = {port["name"]: port["port"] for port in found["spec"]["ports"]}
    assert listens["grpc"] == declaration(service).port
    assert listens.get("web", 0) == declaration(service).web_port


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_calls_others_is_given_a_token(render: Render, service: str) -> None:
    assert ("RAPPORT_TOKEN_FILE" in variables(render(service))) == bool(declaration(service).permissions)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_the_address_of_every_service_that_it_calls(render: Render, service: str) -> None:
    """Those of the others' Services, on the ports that they listen on."""
    [found] = [each for each in render(service) if each["kind"] == "ConfigMap"]
    given = json.loads(found["data"].get("RAPPORT_PEERS", "{}"))
    assert given == {name: f"dns:///{name}:{declaration(name).port}" for name in declaration(service).calls}


def test_the_desk_is_told_where_people_sign_in_and_reads_its_secret_from_a_secret(render: Render) -> None:
    client = {"existingSecret": "desk-client", "key": "secret"}
    told = {"publicUrl": "https://desk.example.org", "clientId": "desk", "clientSecret": client}
    rendered = render("desk", {"signIn": told})
    [config] = [each["data"] for each in rendered if each["kind"] == "ConfigMap"]
    assert config["RAPPORT_PUBLIC_URL"] == "https://desk.example.org"
    assert config["RAPPORT_OIDC_CLIENT_ID"] == "desk"
    [deployment] = [each for each in rendered if each["kind"] == "Deployment"]
    [server] = deployment["spec"]["template"]["spec"]["containers"]
    assert {
        "name": "RAPPORT_OIDC_CLIENT_SECRET_FILE",
        "value": "/etc/rapport/secrets/oidc_client_secret/value",
    } in server["env"]
    assert variables(rendered) - variables(render("desk")) <= known_to("desk")


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_that_a_chart_sets_is_a_setting_of_the_service(render: Render, service: str) -> None:
    everything = {
        "auth": {"token": {"existingSecret": "token"}, "workloads": {"issuer": "https://cluster"}},
        "sources": ["gifts"],
        "tls": {"enabled": True},
        "database": {"tls": {"existingSecret": "ca"}},
        "nats": {"tls": {"existingSecret": "ca"}},
    }
    assert variables(render(service, everything)) - known_to(service) == {"RAPPORT_SERVICE"}


def test_a_department_is_heard_once_the_charts_values_name_it(render: Render) -> None:
    """By the pods, and by the set-up Job that makes the consumers."""
    rendered = render("customer", {"sources": ["gifts", "returns"]})
    [found] = [each for each in rendered if each["kind"] == "ConfigMap"]
    assert found["data"]["RAPPORT_SOURCES"] == "gifts,returns"
    [setup] = [each for each in rendered if each["kind"] == "Job"]
    for container in setup["spec"]["template"]["spec"]["containers"]:
        assert {"name": "RAPPORT_SOURCES", "value": "gifts,returns"} in container["env"]


def test_settings_that_have_a_value_of_their_own_are_refused_among_the_others() -> None:
    template = (ROOT / "deploy" / "helm" / "chassis" / "templates" / "_validate.tpl").read_text()
    [own] = re.findall(r"\$own := dict (.*?) -}}", template)
    [more] = re.findall(r'\(dict ("tls_dir".*?)\) -}}', template)
    assert set(re.findall(r'"([^"]+)"', f"{own} {more}")[::2]) == set(ServiceSettings.model_fields)


def test_a_secret_is_mounted_as_the_folder_of_a_setting(render: Render) -> None:
    """Those who send webhooks, of the desk."""
    rendered = render("desk", {"settingsFolders": {"webhooks_dir": "senders"}})
    [settings] = [each["data"] for each in rendered if each["kind"] == "ConfigMap"]
    [pod] = [each["spec"]["template"]["spec"] for each in rendered if each["kind"] == "Deployment"]
    [mount] = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "folder-webhooks-dir"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "folder-webhooks-dir"]
    assert settings["RAPPORT_WEBHOOKS_DIR"] == mount["mountPath"]
    assert volume["secret"] == {"secretName": "senders"}


def test_who_reaches_the_pages_reaches_no_grpc(render: Render) -> None:
    ingress, programs = ({"podSelector": {"matchLabels": {"app": name}}} for name in ("ingress", "shop"))
    policy = {"webCallers": [ingress], "callers": [programs]}
    rendered = {each["kind"]: each for each in render("desk", {"networkPolicy": policy})}
    rules = rendered["NetworkPolicy"]["spec"]["ingress"]
    reached = {
        port: [each["from"][1:] for each in rules if {"port": port} in each["ports"]]
        for port in ("web", "grpc")
    }
    assert reached == {"web": [[ingress]], "grpc": [[programs]]}


def test_mail_is_taken_where_a_port_is_given_from_mail_servers_alone(render: Render) -> None:
    servers = [{"podSelector": {"matchLabels": {"app": "postfix"}}}]
    rendered = {
        each["kind"]: each
        for each in render("desk", {"mailPort": 2525, "networkPolicy": {"mailServers": servers}})
    }
    assert rendered["ConfigMap"]["data"]["RAPPORT_MAIL_PORT"] == "2525"
    assert {"name": "mail", "port": 2525, "targetPort": "mail"} in rendered["Service"]["spec"]["ports"]
    rules = rendered["NetworkPolicy"]["spec"]["ingress"]
    assert [each["from"] for each in rules if {"port": "mail"} in each["ports"]] == [servers]
    assert "mail" not in str([each for each in render("desk") if each["kind"] == "NetworkPolicy"])
