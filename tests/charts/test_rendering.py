"""Every chart, alone and in the umbrella, renders objects that the supported Kubernetes versions accept."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from deploy.services import SERVICES
from tests.charts.needed import NEEDED

Object = dict[str, Any]
Render = Callable[..., list[Object]]

SERVICE_CHARTS = ("service", *SERVICES)
CHARTS = (*SERVICE_CHARTS, "rapport", "infra")
# The oldest that the charts support, a current one, the newest.
VERSIONS = ("1.27", "1.34", "1.37")

EVERYTHING = {
    "fullnameOverride": "crm-service",
    "image": {"registry": "images.example.org:5000", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
    "imagePullSecrets": ["registry"],
    "autoscaling": {"enabled": True},
    "auth": {
        "issuer": "https://issuer.example.org",
        "jwks": {"url": "https://issuer.example.org/jwks"},
        "token": {"existingSecret": "own-token"},
        "workloads": {"issuer": "https://cluster.example.org"},
    },
    "tls": {"enabled": True, "issuer": {"name": "crm", "kind": "Issuer"}},
    "database": {"tls": {"existingSecret": "database-authority"}},
    "nats": {"tls": {"existingSecret": "nats-client"}},
    "peers": {"customer": "dns:///customer.other.svc:7001"},
    "settings": {"smtp_host": "mail.example.org", "smtp_port": "587"},
    "settingsSecrets": ["smtp-password"],
    # Called like volumes of the chart's own.
    "settingsFiles": {
        name: {"existingSecret": "depot", "key": "key"}
        for name in ("depot_key", "token", "jwks", "tmp", "tls")
    },
    "settingsFolders": {"nats_tls": "depot", "workloads": "depot"},
    "telemetry": {"endpoint": "http://collector:4317", "sampleRatio": "0.25"},
    "setup": {"database": {"existingSecret": "owner-database"}},
    "serviceAccount": {"annotations": {"example.org/role": "crm"}},
    "networkPolicy": {
        "namespaces": ["billing"],
        "callers": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "egressPorts": [443],
        "egressTo": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 5432}]}],
        "dnsPorts": [53, 5353],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "podLabels": {"team": "billing"},
    "podAnnotations": {"example.org/note": "1"},
    "grpcRoute": {"enabled": True, "parentRefs": [{"name": "internal"}], "hostnames": ["*.example.org"]},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraVolumes": [{"name": "authority", "configMap": {"name": "company"}}],
    "extraVolumeMounts": [{"name": "authority", "mountPath": "/etc/authority", "readOnly": True}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "crm", "operator": "Exists"}],
    "priorityClassName": "high",
}
# Names that YAML would take for numbers and truths: environments are often called by the number of a change.
LITERAL = {
    "imagePullSecrets": ["123"],
    "priorityClassName": "1",
    "serviceAccount": {"name": "404"},
    "database": {"existingSecret": "1e3", "key": "0", "tls": {"existingSecret": "1.0"}},
    "nats": {"existingSecret": "0x1", "key": "1", "tls": {"existingSecret": "00"}},
    "setup": {"database": {"existingSecret": "true"}, "nats": {"existingSecret": "no", "key": "yes"}},
    "settingsSecrets": ["null"],
    "settingsFiles": {"y": {"existingSecret": "2", "key": "3"}},
    "settingsFolders": {"n": "4"},
    "auth": {"token": {"existingSecret": "5", "key": "6"}, "jwks": {"existingConfigMap": "7", "key": "8"}},
    "tls": {"enabled": True, "issuer": {"name": "9"}},
    "networkPolicy": {"namespaces": ["2024"]},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
}
GATEWAY = [{"name": "internal", "namespace": "gateways"}]
SCALED = {
    "keda": {
        "enabled": True,
        "consumers": [{"stream": "CASES", "durable": "loyalty-promises"}],
    }
}
REACHED = {
    "grpcRoute": {"enabled": True, "parentRefs": GATEWAY},
    "httpRoute": {"enabled": True, "parentRefs": GATEWAY, "hostnames": ["desk.example.org"]},
    "ingress": {
        "enabled": True,
        "host": "desk.example.org",
        "className": "nginx",
        "tlsSecret": "desk-public",
        "annotations": {"example.org/size": "1m"},
    },
    "customerPages": {"enabled": True, "host": "service.example.org", "tlsSecret": "service-public"},
    "settings": {"customer_proxies": "1"},
}
SIGN_IN = {
    "publicUrl": "https://desk.example.org",
    "clientId": "desk",
    "clientSecret": {"existingSecret": "desk-client", "key": "secret"},
}
LEAST = {
    "replicas": 1,
    "setup": {"migrate": False, "provision": False},
    "serviceAccount": {"create": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "test": {"enabled": False},
}
COLLECTOR = {"collector": {"enabled": True, "endpoint": "tempo:4317"}}
MATRIX = [
    *[pytest.param(chart, {}, id=f"{chart}-defaults") for chart in CHARTS],
    *[pytest.param(chart, EVERYTHING, id=f"{chart}-everything") for chart in SERVICE_CHARTS],
    *[pytest.param(chart, LEAST, id=f"{chart}-least") for chart in SERVICE_CHARTS],
    pytest.param("desk", {"signIn": SIGN_IN}, id="desk-sign-in"),
    pytest.param("desk", REACHED, id="desk-reached"),
    pytest.param("loyalty", SCALED, id="loyalty-scaled"),
    pytest.param("rapport", {"loyalty": {"enabled": False}, "cases": EVERYTHING}, id="rapport-mixed"),
    pytest.param("infra", COLLECTOR, id="infra-everything"),
    pytest.param("infra", {"nats": {"replicas": 1}}, id="infra-one-server"),
    pytest.param("infra", {"nats": {"networkPolicy": {"enabled": False}}}, id="infra-open"),
]


@pytest.mark.parametrize(("chart", "values"), MATRIX)
def test_a_chart_renders_objects_that_kubernetes_knows(
    render: Render, problems: Callable[[Object, str], Iterator[str]], chart: str, values: Object
) -> None:
    objects = render(chart, values)
    assert objects
    found = [
        f"{version}: {line}" for version in VERSIONS for each in objects for line in problems(each, version)
    ]
    assert found == []
    assert not re.search(r"<no value>|<nil>|%!", json.dumps(objects))


@pytest.mark.parametrize(("chart", "values"), MATRIX)
def test_a_chart_passes_the_strict_lint(charts: Path, chart: str, values: Object) -> None:
    given = {**NEEDED.get(chart, {}), **values}
    assert helm_python.lint(charts / chart, given, strict=True, with_subcharts=True)["errors"] == []


@pytest.mark.parametrize("chart", SERVICE_CHARTS)
@pytest.mark.parametrize("service", ["y", "on", "null"])
def test_a_name_stays_a_name_whatever_yaml_would_take_it_for(
    render: Render, problems: Callable[[Object, str], Iterator[str]], chart: str, service: str
) -> None:
    objects = render(chart, {**LITERAL, "name": service, "fullnameOverride": service}, "4711", "2024")
    assert [line for each in objects for line in problems(each, VERSIONS[0])] == []


def test_the_version_that_runs_is_said_wherever_one_is(render: Render) -> None:
    """Of a department's image, and not of the chart."""
    tag = "3.4.1_" + "x" * 100
    objects = render("service", {"image": {"tag": tag}})
    [deployment] = [each for each in objects if each["kind"] == "Deployment"]
    [server] = deployment["spec"]["template"]["spec"]["containers"]
    assert server["image"].endswith(f":{tag}")
    [told] = [each["value"] for each in server["env"] if each["name"] == "OTEL_RESOURCE_ATTRIBUTES"]
    assert f"service.version={tag}," in told
    said = {each["metadata"]["labels"]["app.kubernetes.io/version"] for each in objects}
    assert said == {tag[:63]}


def test_objects_of_one_release_have_names_of_their_own(render: Render) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in render("rapport") + render("infra")]
    assert len(names) == len(set(names))


def test_the_umbrella_holds_what_each_chart_holds_alone(render: Render) -> None:
    together = {(each["kind"], each["metadata"]["name"]) for each in render("rapport")}
    alone = {(each["kind"], each["metadata"]["name"]) for chart in SERVICES for each in render(chart)}
    assert together == alone


def test_a_service_left_out_of_the_umbrella_leaves_nothing_behind(render: Render) -> None:
    objects = render("rapport", {"loyalty": {"enabled": False}})
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in objects} == {*SERVICES} - {
        "loyalty"
    }


WRONG = [
    ({"replica": 1}, "replica"),
    ({"replicas": "2"}, "replicas"),
    ({"image": {"tags": "1"}}, "tags"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"database": {"url": "postgresql://..."}}, "url"),
    ({"resources": {"limits": {"memory": "512 MB"}}}, "memory"),
    ({"settings": {"smtp_port": 587}}, "smtp_port"),
    ({"settings": {"SMTP_PORT": "587"}}, "SMTP_PORT"),
    ({"port": 40000}, "port"),
    ({"telemetry": {"sampleRatio": "2"}}, "sampleRatio"),
    ({"securityContext": {"runAsUser": 0}}, "securityContext"),
    ({"signIn": {"publicUrl": "http://desk.example.org"}}, "publicUrl"),
    ({"extraEnv": [{"name": "RAPPORT_LOG_LEVEL", "value": "debug"}]}, "extraEnv"),
    ({"keda": {"lag": "500"}}, "lag"),
    ({"grpcRoute": {"parentRefs": [{"gateway": "internal"}]}}, "gateway"),
    ({"podLabels": {"app.kubernetes.io/name": "other"}}, "app.kubernetes.io/name"),
    ({"serviceMonitor": {"labels": {"helm.sh/chart": "other"}}}, "helm.sh/chart"),
    ({"podAnnotations": {"checksum/config": "other"}}, "checksum/config"),
    ({"settingsFiles": {"depot_": {"existingSecret": "depot", "key": "key"}}}, "depot_"),
]


@pytest.mark.parametrize(("values", "named"), WRONG, ids=[json.dumps(values) for values, _ in WRONG])
def test_a_wrong_value_is_refused_by_name_alone_and_in_the_umbrella(
    render: Render, values: Object, named: str
) -> None:
    for chart, given in (("cases", values), ("rapport", {"cases": values})):
        with pytest.raises(helm_python.HelmError, match=named):
            render(chart, given)


CONTRADICTIONS = [
    ({"image": {"tag": "latest"}}, "must name a version"),
    ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "must not be above"),
    ({"autoscaling": {"enabled": True}, "keda": {"enabled": True}}, "two autoscalers of one Deployment"),
    ({**SCALED, "keda": {**SCALED["keda"], "minReplicas": 11}}, "keda.minReplicas must not be above"),
    ({"keda": {"enabled": True}}, "keda.consumers must name"),
    ({"grpcRoute": {"enabled": True}}, "grpcRoute.parentRefs must name the gateway"),
    ({"httpRoute": {"enabled": True, "parentRefs": GATEWAY}}, "a service without a webPort has none"),
    ({"webPort": 8080, "ingress": {"enabled": True}}, "ingress.host must be given"),
    ({"webPort": 8080, "customerPages": {"enabled": True}}, "customerPages needs a host"),
    *[
        (
            {"webPort": 8080, "customerPages": {"enabled": True, "host": "a.example"}, "settings": settings},
            "needs settings.customer_proxies",
        )
        for settings in ({}, {"customer_proxies": "0"})
    ],
    (
        {"networkPolicy": {"egressPorts": [], "egressTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}},
        "egressTo narrows",
    ),
    ({"drain": {"waitSeconds": 30, "gracePeriodSeconds": 60}}, "at least drain.waitSeconds \\+ 50, here 80"),
    ({"settings": {"database_url": "postgresql://..."}}, "settings must not hold database_url"),
    ({"settings": {"oidc_client_secret": "x"}}, "settings must not hold oidc_client_secret"),
    ({"signIn": {"clientId": "cases"}}, "signIn.clientId needs signIn.publicUrl"),
    (
        {"signIn": {"clientSecret": {"existingSecret": "x", "key": "x"}}},
        "signIn.clientSecret is for a client",
    ),
    ({"serviceAccount": {"name": "default"}}, "serviceAccount.name must not be default"),
    ({"webPort": 7102}, "webPort and mailPort must be others"),
    ({"webPort": 8080, "mailPort": 8080}, "webPort and mailPort must be others than each other"),
    ({"settings": {"depot": "a"}, "settingsFolders": {"depot": "b"}}, "depot is given twice"),
    ({"settings": {"service": "other"}}, "settings must not hold service"),
    ({"settingsFolders": {"tls_dir": "a"}}, "settings must not hold tls_dir: use the value tls"),
    ({"extraVolumes": [{"name": "tls", "emptyDir": {}}]}, "tls is the name of a volume of the chart's"),
    ({"extraVolumes": [{"name": "setting-a", "emptyDir": {}}]}, "setting-a is the name of a volume"),
]


@pytest.mark.parametrize(("values", "sentence"), CONTRADICTIONS, ids=[each for _, each in CONTRADICTIONS])
def test_values_that_contradict_each_other_are_refused_with_a_sentence(
    render: Render, values: Object, sentence: str
) -> None:
    with pytest.raises(helm_python.HelmError, match=sentence):
        render("cases", values)


def test_other_contradictions_are_refused_too(render: Render) -> None:
    with pytest.raises(helm_python.HelmError, match="name must be given"):
        render("service", {"name": ""})
    with pytest.raises(helm_python.HelmError, match=r"settings\.smtp_host must be given: the mail server"):
        render("notifications", {"settings": {}})
    with pytest.raises(helm_python.HelmError, match=r"settings\.smtp_host must be given: the mail server"):
        render("rapport", {"notifications": {}})
    for release in ("2024-crm", "crm.eu"):
        with pytest.raises(helm_python.HelmError, match=f"{release}-cases cannot be the name of a Service"):
            render("cases", release=release)
    with pytest.raises(helm_python.HelmError, match="endpoint must be given"):
        render("infra", {"collector": {"enabled": True}})
    with pytest.raises(helm_python.HelmError, match="tag"):
        render("infra", {"nats": {"image": {"tag": "latest"}}})


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_has_a_comment_above_it(charts: Path, chart: str) -> None:
    lines = (charts / chart / "values.yaml").read_text().splitlines()
    scalars = re.compile(r"^\s*[A-Za-z]+:\s+\S")
    uncommented = [
        line
        for previous, line in zip(["", *lines], lines, strict=False)
        if scalars.match(line) and not previous.lstrip().startswith("#") and not inside(line, lines)
    ]
    assert uncommented == []


def inside(line: str, lines: list[str]) -> bool:
    """Whether a line belongs to a value that is documented as a whole, such as resources."""
    return bool(re.match(r"^\s+((cpu|memory|kubernetes\.io/metadata\.name):|\w+: dns:///)", line))


@pytest.mark.parametrize("chart", CHARTS)
def test_the_schema_knows_every_value_and_no_other(charts: Path, chart: str) -> None:
    values = yaml.safe_load((charts / chart / "values.yaml").read_text())
    schema = json.loads((charts / chart / "values.schema.json").read_text())
    helm_adds = {"chassis", "enabled", "global"}
    assert set(schema["properties"]) - helm_adds == set(values) - helm_adds
    assert schema["additionalProperties"] is False


def test_the_services_charts_are_as_the_generic_chart_generates_them(tmp_path: Path, charts: Path) -> None:
    def generated() -> dict[Path, str]:
        return {path: path.read_text() for path in [*charts.glob("*/values*"), charts / "VALUES.md"]}

    before = generated()
    subprocess.run([sys.executable, charts / "generate.py"], check=True)
    assert generated() == before
