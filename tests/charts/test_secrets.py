"""Secrets and certificates of a chart: files of the pod, and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest

Object = dict[str, Any]
Render = Callable[..., list[Object]]
TLS = {"enabled": True}


def pod(objects: list[Object], kind: str = "Deployment") -> Object:
    [found] = [each for each in objects if each["kind"] == kind]
    spec: Object = found["spec"]["template"]["spec"] if kind != "Pod" else found["spec"]
    return spec


def volume(spec: Object, name: str) -> Object:
    [found] = [each for each in spec["volumes"] if each["name"] == name]
    return {key: value for key, value in found.items() if key != "name"}


def config(objects: list[Object]) -> dict[str, str]:
    [found] = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    return dict(found)


def test_secrets_are_files_that_follow_their_secret(render: Render) -> None:
    """Not variables, nor single files of a volume: a pod keeps both as they were when it began."""
    spec = pod(render("cases"))
    [server] = spec["containers"]
    assert {
        "name": "RAPPORT_DATABASE_URL_FILE",
        "value": "/etc/rapport/secrets/database_url/value",
    } in server["env"]
    assert volume(spec, "setting-database-url") == {
        "secret": {"secretName": "cases-database", "items": [{"key": "url", "path": "value"}]}
    }
    assert "secretKeyRef" not in str(server)
    assert all("subPath" not in mount for mount in server["volumeMounts"])


def test_a_setting_of_a_secret_is_a_file_of_the_server_and_known_to_the_setup_job(render: Render) -> None:
    secret = {"existingSecret": "mail", "key": "password"}
    objects = render("notifications", {"settingsFiles": {"smtp_password": secret}})
    [server] = pod(objects)["containers"]
    file = "/etc/rapport/secrets/smtp_password/value"
    assert {"name": "RAPPORT_SMTP_PASSWORD_FILE", "value": file} in server["env"]
    assert volume(pod(objects), "setting-smtp-password")["secret"]["secretName"] == "mail"
    for container in pod(objects, "Job")["containers"]:
        [given] = [each for each in container["env"] if each["name"] == "RAPPORT_SMTP_PASSWORD"]
        assert given["valueFrom"] == {"secretKeyRef": {"name": "mail", "key": "password"}}


def test_the_token_of_the_pods_account_takes_the_place_of_the_secrets(render: Render) -> None:
    objects = render("cases", {"auth": {"token": {"projected": {"enabled": True}}}})
    token = {"audience": "rapport", "expirationSeconds": 3600, "path": "token"}
    assert volume(pod(objects), "token") == {"projected": {"sources": [{"serviceAccountToken": token}]}}
    assert config(objects)["RAPPORT_TOKEN_FILE"] == "/etc/rapport/token/token"
    assert pod(objects)["automountServiceAccountToken"] is False


def test_a_clusters_accounts_are_trusted_where_its_issuer_is_named(render: Render) -> None:
    objects = render("cases", {"auth": {"workloads": {"issuer": "https://cluster"}}})
    assert config(objects)["RAPPORT_CLUSTER_ISSUER"] == "https://cluster"
    assert config(objects)["RAPPORT_CLUSTER_JWKS_URL"] == "file:///etc/rapport/workloads/jwks.json"
    assert config(objects)["RAPPORT_CLUSTER_ACCOUNTS"] == "/etc/rapport/workloads/accounts.json"
    assert volume(pod(objects), "workloads") == {"configMap": {"name": "rapport-workloads"}}
    assert "RAPPORT_CLUSTER_ISSUER" not in config(render("cases"))


def test_cert_manager_makes_a_certificate_of_every_name_that_callers_use(render: Render) -> None:
    objects = render("cases", {"tls": TLS | {"issuer": {"name": "crm", "kind": "ClusterIssuer"}}})
    [certificate] = [each["spec"] for each in objects if each["kind"] == "Certificate"]
    assert {"cases", "cases.crm", "cases.crm.svc"} <= set(certificate["dnsNames"])
    assert certificate["usages"] == ["server auth", "client auth"]
    for kind in ("Deployment", "Pod"):
        assert volume(pod(objects, kind), "tls") == {"secret": {"secretName": certificate["secretName"]}}
    assert config(objects)["RAPPORT_TLS_DIR"] == "/etc/rapport/tls"


def test_certificates_that_exist_are_not_made(render: Render) -> None:
    objects = render("cases", {"tls": TLS | {"existingSecret": "own"}})
    assert volume(pod(objects), "tls") == {"secret": {"secretName": "own"}}
    assert "Certificate" not in {each["kind"] for each in objects}
    assert "RAPPORT_TLS_DIR" not in config(render("cases"))


def test_one_switch_turns_tls_on_for_all_services(render: Render) -> None:
    objects = render("rapport", {"global": {"tls": TLS | {"issuer": {"name": "crm"}}}})
    made = {each["spec"]["secretName"] for each in objects if each["kind"] == "Certificate"}
    assert made == {f"{name}-tls" for name in ("customer", "cases", "loyalty", "notifications", "desk")}


@pytest.mark.parametrize("what", ["database", "nats"])
def test_the_setup_job_connects_as_securely_as_the_service(render: Render, what: str) -> None:
    objects = render("cases", {what: {"tls": {"existingSecret": "authority"}}})
    for spec in (pod(objects), pod(objects, "Job")):
        assert volume(spec, f"{what}-tls") == {"secret": {"secretName": "authority"}}
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert mounts[f"{what}-tls"] == f"/etc/rapport/{what}-tls"
    assert config(objects)[f"RAPPORT_{what.upper()}_TLS_DIR"] == f"/etc/rapport/{what}-tls"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tls": TLS | {"existingSecret": "own", "issuer": {"name": "crm"}}}, "are both given"),
        ({"tls": {"existingSecret": "own"}}, "are for tls.enabled"),
        ({"settings": {"database_url_file": "/x"}}, "use the value database"),
        ({"settingsFiles": {"nats_url": {"existingSecret": "x", "key": "y"}}}, "use the value nats"),
        ({"settings": {"tls_dir": "/x"}}, "use the value tls"),
        (
            {"auth": {"token": {"projected": {"enabled": True}}}, "serviceAccount": {"create": False}},
            "needs an account of the service's own",
        ),
        ({"auth": {"token": {"projected": {"expirationSeconds": 60}}}}, "expirationSeconds"),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_sentence(
    render: Render, values: Object, said: str
) -> None:
    with pytest.raises(Exception, match=said):
        render("cases", values)
