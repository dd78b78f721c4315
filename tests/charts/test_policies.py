"""What the schemas of Kubernetes cannot say: a release's objects fit each other and the platform's rules."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.needed import NEEDED

Object = dict[str, Any]
Render = Callable[..., list[Object]]

SERVICES = {"customer": 7001, "cases": 7002, "loyalty": 7003, "notifications": 7004, "desk": 7005}
CHARTS = (*SERVICES, "service", "rapport", "infra")
COLLECTOR = {"collector": {"enabled": True, "endpoint": "tempo:4317"}}
MONITORED = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}
SCALED = {"autoscaling": {"enabled": True}}


@pytest.fixture(params=CHARTS)
def objects(render: Render, request: pytest.FixtureRequest) -> list[Object]:
    """Every object of one chart."""
    return render(request.param, COLLECTOR if request.param == "infra" else {})


def of(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def one(objects: list[Object], kind: str) -> Object:
    [found] = of(objects, kind)
    return found


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Each pod or template of one, with the kind that makes it."""
    for each in objects:
        if each["kind"] == "Pod":
            yield "Pod", each
        elif each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["kind"], each["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def selects(selector: Object, pod: Object) -> bool:
    return all(pod["metadata"]["labels"].get(key) == value for key, value in selector.items())


def test_a_selector_finds_exactly_the_servers_pods(objects: list[Object]) -> None:
    """A set-up or test pod behind a Service would be sent calls that it cannot answer."""
    for each in objects:
        spec = each.get("spec", {})
        match each["kind"]:
            case "Service":
                selector = spec["selector"]
            case "PodDisruptionBudget":
                selector = spec["selector"]["matchLabels"]
            case _:
                continue
        assert [kind for kind, pod in pods(objects) if selects(selector, pod)] in (
            ["Deployment"],
            ["StatefulSet"],
        )


@pytest.mark.parametrize("service", SERVICES)
def test_a_network_policy_is_for_the_server_and_for_the_test_of_what_it_reaches(
    render: Render, service: str
) -> None:
    objects = render(service)
    selector = one(objects, "NetworkPolicy")["spec"]["podSelector"]
    [among] = selector["matchExpressions"]
    found = [
        kind
        for kind, pod in pods(objects)
        if selects(selector["matchLabels"], pod)
        and pod["metadata"]["labels"][among["key"]] in among["values"]
    ]
    assert (among["operator"], sorted(found)) == ("In", ["Deployment", "Pod"])


def test_the_network_policy_of_nats_is_for_its_servers(render: Render) -> None:
    objects = render("infra")
    selector = one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert [kind for kind, pod in pods(objects) if selects(selector, pod)] == ["StatefulSet"]


@pytest.mark.parametrize("service", SERVICES)
def test_helms_test_asks_as_the_server_would(render: Render, service: str) -> None:
    """With all that it has, and nothing of the set-up's."""
    values = {"auth": {"token": {"projected": {"enabled": True}}}, "tls": {"enabled": True}}
    objects = render(service, {**NEEDED.get(service, {}), **values})
    [pod] = of(objects, "Pod")
    [asks] = pod["spec"]["containers"]
    serves = server(objects)
    found = one(objects, "Service")
    assert asks["command"] == [*serves["command"][:-1], "check"]
    assert asks["args"] == [f"dns:///{found['metadata']['name']}:{found['spec']['ports'][0]['port']}"]
    template = one(objects, "Deployment")["spec"]["template"]["spec"]
    for part in ("env", "envFrom", "image", "volumeMounts"):
        assert asks[part] == serves[part]
    for part in ("volumes", "serviceAccountName"):
        assert pod["spec"][part] == template[part]


def test_a_workload_selects_its_own_pods(objects: list[Object]) -> None:
    for each in of(objects, "Deployment") + of(objects, "StatefulSet"):
        assert selects(each["spec"]["selector"]["matchLabels"], each["spec"]["template"])


@pytest.mark.parametrize(("service", "port"), SERVICES.items())
def test_a_headless_services_ports_are_those_of_the_container(
    render: Render, service: str, port: int
) -> None:
    """A headless Service translates no ports."""
    objects = render(service)
    spec = one(objects, "Service")["spec"]
    assert spec["clusterIP"] == "None"
    listening = {p["name"]: p["containerPort"] for p in server(objects)["ports"]}
    web = {"web": 8080} if service == "desk" else {}
    assert listening == {"grpc": port, "http": port + 100} | web
    assert {p["targetPort"]: p["port"] for p in spec["ports"]} == listening


def test_every_port_that_is_named_exists(objects: list[Object]) -> None:
    names = {p["name"] for _, pod in pods(objects) for c in containers(pod) for p in c.get("ports", [])}
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?", name) for name in names)
    used = {p["targetPort"] for each in of(objects, "Service") for p in each["spec"]["ports"]}
    for _, pod in pods(objects):
        for container in containers(pod):
            probes = [container[kind] for kind in container if kind.endswith("Probe")]
            used |= {probe["httpGet"]["port"] for probe in probes}
    for each in of(objects, "NetworkPolicy"):
        ports = [rule["ports"] for rule in each["spec"]["ingress"]]
        used |= {port["port"] for port in itertools.chain(*ports)}
    assert used <= names


def test_everything_a_pod_refers_to_exists_or_is_the_operators(objects: list[Object]) -> None:
    """Secrets and the issuer's keys exist before; whatever else a pod needs is in the release."""
    made = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for kind, pod in pods(objects):
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        volumes |= {
            claim["metadata"]["name"]
            for each in of(objects, "StatefulSet")
            for claim in each["spec"]["volumeClaimTemplates"]
        }
        for container in containers(pod):
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
        if kind == "Job":
            continue
        account = pod["spec"].get("serviceAccountName", "default")
        assert account == "default" or ("ServiceAccount", account) in made
        configmaps = set(re.findall(r'"config[mM]ap(?:Ref)?": \{"name": "([^"]+)"', json.dumps(pod)))
        assert {("ConfigMap", name) for name in configmaps - {"rapport-jwks"}} <= made


def test_the_setup_job_uses_nothing_that_the_release_makes(render: Render) -> None:
    """As a hook it runs before any of it exists: a first install would wait for ever."""
    job = one(render("cases", {"auth": {"token": {"existingSecret": "own-token"}}}), "Job")
    spec = job["spec"]["template"]["spec"]
    assert "serviceAccountName" not in spec
    assert "configMap" not in json.dumps(spec)
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "before-hook-creation" in job["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    assert spec["restartPolicy"] == "Never"


def test_the_setup_job_migrates_and_then_provisions_as_the_administrator(render: Render) -> None:
    values = {"setup": {"database": {"existingSecret": "owner"}}}
    job = one(render("cases", values), "Job")["spec"]["template"]["spec"]
    steps = [(each["command"][-1], secrets(each)) for each in job["initContainers"] + job["containers"]]
    assert steps == [
        (
            "migrate",
            {
                "RAPPORT_DATABASE_URL": "cases-database",
                "RAPPORT_DATABASE_OWNER_URL": "owner",
                "RAPPORT_NATS_URL": "cases-nats",
            },
        ),
        (
            "provision",
            {
                "RAPPORT_DATABASE_URL": "cases-database",
                "RAPPORT_NATS_URL": "cases-nats",
                "RAPPORT_NATS_ADMIN_URL": "cases-nats-admin",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("setup", "steps"),
    [
        ({"migrate": False}, ["provision"]),
        ({"provision": False}, ["migrate"]),
        ({"migrate": False, "provision": False}, []),
    ],
)
def test_each_step_of_the_setup_can_be_left_out(render: Render, setup: Object, steps: list[str]) -> None:
    jobs = of(render("cases", {"setup": setup}), "Job")
    assert [c["command"][-1] for job in jobs for c in containers(job["spec"]["template"])] == steps


def test_the_server_never_gets_the_administrators_url(render: Render) -> None:
    [deployment] = of(render("cases"), "Deployment")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    mounted = {each["secret"]["secretName"] for each in volumes if "secret" in each}
    assert mounted == {"cases-database", "cases-nats", "cases-token"}
    assert secrets(server(render("cases"))) == {}


def test_every_pod_meets_the_restricted_pod_security_standard(objects: list[Object]) -> None:
    for _, pod in pods(objects):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        allowed = {"configMap", "emptyDir", "secret", "projected", "name"}
        assert all(set(volume) <= allowed for volume in spec.get("volumes", []))
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)


def test_every_container_asks_for_memory_and_no_more_than_its_limit(objects: list[Object]) -> None:
    for _, pod in pods(objects):
        for container in containers(pod):
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert bytes_of(requests["memory"]) <= bytes_of(limits["memory"])
            assert "cpu" in requests


def test_the_grace_period_is_longer_than_the_drain(render: Render) -> None:
    """Wait, then 15 s each for calls, work and handlers."""
    objects = render("cases", {"drain": {"waitSeconds": 10, "gracePeriodSeconds": 60}})
    wait = int(one(objects, "ConfigMap")["data"]["RAPPORT_DRAIN_WAIT_S"])
    assert wait == 10
    assert (
        wait + 3 * 15
        < one(objects, "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    )


def test_no_pod_is_lost_before_its_successor_is_ready(objects: list[Object]) -> None:
    for each in of(objects, "Deployment"):
        if each["metadata"]["name"] != "collector":
            assert each["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_liveness_asks_nothing_of_the_dependencies(render: Render) -> None:
    container = server(render("cases"))
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_a_pod_on_a_busy_node_has_five_minutes_to_start(render: Render) -> None:
    """Startup alone may take long: what then hangs is restarted after 30 s."""
    container = server(render("cases"))
    assert window(container["startupProbe"]) >= 300
    assert window(container["livenessProbe"]) <= 30


def window(probe: Object) -> int:
    """How many seconds of failure the kubelet stands before it acts."""
    return int(probe["periodSeconds"] * probe["failureThreshold"])


@pytest.mark.parametrize(
    "values", [{"settings": {"a": "1"}}, {"logLevel": "debug"}, {"global": {"otlpEndpoint": "http://c:4317"}}]
)
def test_a_change_of_the_configuration_rolls_the_pods(render: Render, values: Object) -> None:
    def checksum(objects: list[Object]) -> str:
        annotations: Object = one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]
        return str(annotations["checksum/config"])

    assert checksum(render("cases", values)) != checksum(render("cases"))
    assert checksum(render("cases", {"replicas": 5})) == checksum(render("cases"))


def test_with_an_autoscaler_the_deployment_leaves_the_number_to_it(render: Render) -> None:
    objects = render("cases", SCALED)
    assert "replicas" not in one(objects, "Deployment")["spec"]
    target = one(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", one(objects, "Deployment")["metadata"]["name"])


def test_keda_scales_on_what_waits_for_the_consumers_that_the_service_declares(render: Render) -> None:
    loyalty = import_module("loyalty.service").service.declaration().describe()["consumers"]
    watched = [{"stream": each["stream"], "durable": each["durable"]} for each in loyalty]
    objects = render("loyalty", {"keda": {"enabled": True, "consumers": watched}})
    assert "replicas" not in one(objects, "Deployment")["spec"]
    assert not of(objects, "HorizontalPodAutoscaler")
    spec = one(objects, "ScaledObject")["spec"]
    assert spec["scaleTargetRef"]["name"] == one(objects, "Deployment")["metadata"]["name"]
    asked = [each["metadata"] for each in spec["triggers"]]
    assert [(each["stream"], each["consumer"]) for each in asked] == [
        (each["stream"], each["durable"]) for each in loyalty
    ]
    infra = {each["metadata"]["name"]: each for each in of(render("infra"), "Service")}
    ports = {each["name"]: each["port"] for each in infra["nats-cluster"]["spec"]["ports"]}
    assert asked[0]["natsServerMonitoringEndpoint"] == f"nats-cluster.crm.svc:{ports['monitor']}"
    assert asked[0]["account"] == "RAPPORT"


def test_a_gateway_and_an_ingress_lead_to_ports_of_the_service(render: Render) -> None:
    gateway = {"enabled": True, "parentRefs": [{"name": "internal"}]}
    values = {
        "grpcRoute": gateway,
        "httpRoute": gateway,
        "ingress": {"enabled": True, "host": "desk.example.org"},
    }
    objects = render("desk", values)
    service = one(objects, "Service")
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    for kind, port in (("GRPCRoute", "grpc"), ("HTTPRoute", "web")):
        [rule] = one(objects, kind)["spec"]["rules"]
        assert rule["backendRefs"] == [{"name": service["metadata"]["name"], "port": ports[port]}]
    [path] = one(objects, "Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": "web"}}


def test_of_customers_pages_nothing_but_their_path_is_public(render: Render) -> None:
    public = {"enabled": True, "host": "service.example.org", "tlsSecret": "service-public"}
    values = {"customerPages": public, "settings": {"customer_proxies": "1"}}
    [made] = [each for each in render("desk", values) if each["kind"] == "Ingress"]
    [rule] = made["spec"]["rules"]
    assert rule["host"] == "service.example.org"
    assert [each["path"] for each in rule["http"]["paths"]] == ["/c/"]
    assert made["spec"]["tls"] == [{"hosts": ["service.example.org"], "secretName": "service-public"}]
    both = values | {"ingress": {"enabled": True, "host": "desk.example.org"}}
    named = {each["metadata"]["name"] for each in render("desk", both) if each["kind"] == "Ingress"}
    assert len(named) == 2


def test_the_server_and_the_setup_have_what_was_added_to_them(render: Render) -> None:
    volume, mount = {"name": "ca", "configMap": {"name": "ca"}}, {"name": "ca", "mountPath": "/etc/ca"}
    variable = {"name": "SSL_CERT_DIR", "value": "/etc/ca"}
    values = {"extraEnv": [variable], "extraVolumes": [volume], "extraVolumeMounts": [mount]}
    for _, pod in [each for each in pods(render("cases", values)) if each[0] in ("Deployment", "Job")]:
        assert volume in pod["spec"]["volumes"]
        for container in containers(pod):
            assert variable in container["env"]
            assert mount in container["volumeMounts"]


def test_a_setup_that_failed_or_took_too_long_is_gone_with_its_upgrade(render: Render) -> None:
    """Else it might migrate after a rollback. Helm prints what it wrote."""
    annotations = one(render("cases"), "Job")["metadata"]["annotations"]
    assert "hook-failed" in annotations["helm.sh/hook-delete-policy"].split(",")
    assert annotations["helm.sh/hook-output-log-policy"] == "hook-failed"


def test_all_of_it_fits_a_laptop(render: Render, charts: Path) -> None:
    """Every pod of both releases and the largest Job, as Helm runs one at a time: in thousandths of a CPU."""
    objects = [each for chart in ("rapport", "infra") for each in render(chart, small(charts, chart))]
    stay, once = 0, [0]
    for each in objects:
        if each["kind"] not in ("Deployment", "StatefulSet", "Job", "Pod"):
            continue
        pod = each if each["kind"] == "Pod" else each["spec"]["template"]
        asked = sum(thousandths(one["resources"]["requests"]["cpu"]) for one in pod["spec"]["containers"])
        if each["kind"] in ("Job", "Pod"):
            once.append(asked)
        else:
            stay += asked * each["spec"]["replicas"]
    assert stay + max(once) < 1000
    assert not of(objects, "PodDisruptionBudget")
    [nats] = of(objects, "StatefulSet")
    assert {
        each["data"]["RAPPORT_REPLICAS"]
        for each in of(objects, "ConfigMap")
        if "RAPPORT_REPLICAS" in each["data"]
    } == {str(nats["spec"]["replicas"])}


def small(charts: Path, chart: str) -> Object:
    values: Object = yaml.safe_load((charts / chart / "values-small.yaml").read_text())
    for service, given in NEEDED.get(chart, {}).items():
        values[service] = {**values[service], **given}
    return values


def thousandths(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else int(cpu) * 1000


def test_without_a_number_the_deployment_leaves_it_to_whoever_else_sets_it(render: Render) -> None:
    objects = render("cases", {"replicas": None})
    assert "replicas" not in one(objects, "Deployment")["spec"]
    assert of(objects, "PodDisruptionBudget")


def test_a_single_pod_has_no_disruption_budget_that_would_block_drains(render: Render) -> None:
    assert of(render("cases", {"replicas": 1}), "PodDisruptionBudget") == []
    assert (
        of(render("cases", {"autoscaling": {"enabled": True, "minReplicas": 1}}), "PodDisruptionBudget") == []
    )
    assert one(render("cases", {"replicas": 2}), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_an_empty_list_of_scrapers_opens_the_metrics_to_nobody(render: Render) -> None:
    rules = one(render("cases", {"networkPolicy": {"scrapers": []}}), "NetworkPolicy")["spec"]["ingress"]
    assert [rule["ports"] for rule in rules] == [[{"port": "grpc"}]]
    assert all(rule["from"] for rule in rules)


def test_an_outsider_reaches_nats_and_its_monitoring_only_where_it_is_listed(render: Render) -> None:
    outside = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "billing"}}}

    def allowed(policy: Object, port: str) -> list[Object]:
        nats = one(render("infra", {"nats": {"networkPolicy": policy}}), "NetworkPolicy")["spec"]["ingress"]
        return [peer for rule in nats if {"port": port} in rule["ports"] for peer in rule["from"]]

    assert outside in allowed({"clients": [outside]}, "client")
    assert outside not in allowed({"clients": [outside]}, "monitor")
    assert allowed({"scrapers": [outside]}, "monitor") == [outside]
    assert allowed({"scrapers": []}, "monitor") == []


def test_departments_in_other_namespaces_call_and_are_called_where_they_are_listed(render: Render) -> None:
    there = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "billing"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "rapport"}},
    }
    spec = one(render("cases", {"networkPolicy": {"namespaces": ["billing"]}}), "NetworkPolicy")["spec"]
    assert [rule["ports"] for rule in spec["ingress"] if there in rule["from"]] == [[{"port": "grpc"}]]
    assert [rule for rule in spec["egress"] if there in rule.get("to", [])] == [spec["egress"][1]]
    assert "billing" not in str(render("cases"))


def test_ports_that_may_be_reached_can_be_confined_to_networks(render: Render) -> None:
    networks = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
    policy = {"egressPorts": [5432], "egressTo": networks}
    *_, rule = one(render("cases", {"networkPolicy": policy}), "NetworkPolicy")["spec"]["egress"]
    assert rule == {"ports": [{"port": 5432}], "to": networks}


def test_pods_reach_the_dns_of_the_cluster_and_what_the_rules_say(render: Render) -> None:
    rule = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 5432}]}
    policy = {"dnsPorts": [5353], "egressPorts": [], "egress": [rule]}
    dns, own, *rest = one(render("cases", {"networkPolicy": policy}), "NetworkPolicy")["spec"]["egress"]
    assert {(each["port"], each["protocol"]) for each in dns["ports"]} == {(5353, "UDP"), (5353, "TCP")}
    assert own == {"to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "rapport"}}}]}
    assert rest == [rule]


def test_monitors_find_the_service_and_its_metrics_port(render: Render) -> None:
    objects = render("cases", MONITORED)
    spec, service = one(objects, "ServiceMonitor")["spec"], one(objects, "Service")
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [endpoint["port"] for endpoint in spec["endpoints"]] == ["http"]
    for group in one(objects, "PrometheusRule")["spec"]["groups"]:
        assert all('namespace="crm",job="cases"' in rule["expr"] for rule in group["rules"])


def test_pages_are_watched_where_there_are_some(render: Render) -> None:
    for service, has_pages in (("desk", True), ("cases", False)):
        *_, group = one(render(service, MONITORED), "PrometheusRule")["spec"]["groups"]
        assert ("RapportSlowPages" in {rule["alert"] for rule in group["rules"]}) == has_pages


def test_settings_become_variables_of_the_server_and_of_the_setup(render: Render) -> None:
    objects = render(
        "notifications", {"settings": {"smtp_host": "mail.example.org"}, "settingsSecrets": ["smtp"]}
    )
    assert one(objects, "ConfigMap")["data"]["RAPPORT_SMTP_HOST"] == "mail.example.org"
    for container in [server(objects), *containers(one(objects, "Job")["spec"]["template"])]:
        assert {"secretRef": {"name": "smtp"}} in container["envFrom"]
    job = containers(one(objects, "Job")["spec"]["template"])[0]
    assert {"name": "RAPPORT_SMTP_HOST", "value": "mail.example.org"} in job["env"]


def test_two_releases_of_one_chart_share_nothing(render: Render) -> None:
    blue, green = render("cases", release="cases-blue"), render("cases", release="cases-green")
    assert {each["metadata"]["name"] for each in blue}.isdisjoint(each["metadata"]["name"] for each in green)
    assert not selects(one(blue, "Service")["spec"]["selector"], one(green, "Deployment")["spec"]["template"])


def server(objects: list[Object]) -> Object:
    [container] = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def secrets(container: Object) -> dict[str, str]:
    """The secret that each variable comes from."""
    found = [each for each in container["env"] if "secretKeyRef" in each.get("valueFrom", {})]
    return {each["name"]: each["valueFrom"]["secretKeyRef"]["name"] for each in found}


def bytes_of(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]]
