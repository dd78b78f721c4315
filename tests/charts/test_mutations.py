"""A typo in a chart is found: each is made in a copy, and the check that is to find it does."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import helm_python
import pytest

from tests.charts import test_infra, test_policies, test_settings
from tests.charts.conftest import Render, faults, renderer, update
from tests.charts.test_rendering import GATEWAY, SCALED, VERSIONS

Check = Callable[[Render], None]


def schemas(chart: str = "cases", **values: Any) -> Check:
    """What the strict schemas of the oldest Kubernetes find."""

    def check(render: Render) -> None:
        objects = render(chart, values)
        assert [line for each in objects for line in faults(each, VERSIONS[0])] == []

    return check


def policy(test: Callable[..., None], chart: str = "cases", **given: Any) -> Check:
    """What another test finds, with what it is given besides the charts."""

    def check(render: Render) -> None:
        if "objects" in test.__code__.co_varnames[: test.__code__.co_argcount]:
            test(render(chart), **given)
        else:
            test(render, **given)

    return check


LIBRARY = "chassis/templates/"
LISTED = "cases/values.yaml"
WATCHED = {"serviceMonitor": {"enabled": True}}
p, s = test_policies, test_settings
MUTATIONS: list[tuple[str, str, str, Check]] = [
    # What strict schemas know.
    (LIBRARY + "_deployment.tpl", "maxSurge: 1", "maxSurges: 1", schemas()),
    (LIBRARY + "_deployment.tpl", "readinessProbe:", "readynessProbe:", schemas()),
    (LIBRARY + "_deployment.tpl", "terminationGracePeriodSeconds", "terminationGraceSeconds", schemas()),
    (LIBRARY + "_pod.tpl", "seccompProfile:", "secompProfile:", schemas()),
    (LIBRARY + "_availability.tpl", "policy/v1\n", "policy/v1beta1\n", schemas()),
    (LIBRARY + "_availability.tpl", "unhealthyPodEvictionPolicy", "unhealthyPodEviction", schemas()),
    (LIBRARY + "_setup.tpl", "backoffLimit:", "backofLimit:", schemas()),
    (LIBRARY + "_network.tpl", "policyTypes:", "policyType:", schemas()),
    (LIBRARY + "_monitoring.tpl", "interval:", "intervall:", schemas(**WATCHED)),
    (LIBRARY + "_availability.tpl", "keda.lag | quote", "keda.lag", schemas(**SCALED)),
    (
        LIBRARY + "_routes.tpl",
        "parentRefs: {{",
        "parentRef: {{",
        schemas(grpcRoute={"enabled": True, "parentRefs": GATEWAY}),
    ),
    # What values' schemas and templates refuse.
    (LISTED, "poolSize: 12", "poolsize: 12", schemas()),
    (LISTED, 'sampleRatio: "1"', "sampleRatio: 1", schemas()),
    (LIBRARY + "_all.tpl", '"chassis.v1.service" .', '"chassis.v1.sevice" .', schemas()),
    (LIBRARY + "_validate.tpl", "$values.drain.waitSeconds) 50", "$values.drain.waitSecond) 50x", schemas()),
    # What only rules of ours know.
    (
        LIBRARY + "_deployment.tpl",
        "maxUnavailable: 0",
        "maxUnavailable: 1",
        policy(p.test_no_pod_is_lost_before_its_successor_is_ready),
    ),
    (
        LIBRARY + "_deployment.tpl",
        "livenessProbe:\n            httpGet:\n              path: /health/live",
        "livenessProbe:\n            httpGet:\n              path: /health/ready",
        policy(p.test_liveness_asks_nothing_of_the_dependencies),
    ),
    (
        LIBRARY + "_deployment.tpl",
        "failureThreshold: 300",
        "failureThreshold: 60",
        policy(p.test_a_pod_on_a_busy_node_has_five_minutes_to_start),
    ),
    (
        LIBRARY + "_deployment.tpl",
        ".Values.autoscaling.enabled .Values.keda.enabled",
        ".Values.keda.enabled",
        policy(p.test_with_an_autoscaler_the_deployment_leaves_the_number_to_it),
    ),
    (
        LIBRARY + "_deployment.tpl",
        'include "chassis.v1.config" . | sha256sum',
        '"" | sha256sum',
        policy(p.test_a_change_of_the_configuration_rolls_the_pods, values={"logLevel": "debug"}),
    ),
    (
        LIBRARY + "_service.tpl",
        "clusterIP: None",
        "type: ClusterIP",
        policy(p.test_a_headless_services_ports_are_those_of_the_container, service="cases", port=7002),
    ),
    (
        LIBRARY + "_service.tpl",
        "targetPort: grpc",
        "targetPort: gprc",
        policy(p.test_every_port_that_is_named_exists),
    ),
    (
        LIBRARY + "_names.tpl",
        "app.kubernetes.io/component: server\n",
        "",
        policy(p.test_a_selector_finds_exactly_the_servers_pods),
    ),
    (
        LIBRARY + "_setup.tpl",
        "pre-install,pre-upgrade",
        "pre-install",
        policy(p.test_the_setup_job_uses_nothing_that_the_release_makes),
    ),
    (
        LIBRARY + "_setup.tpl",
        "      restartPolicy: Never",
        "      restartPolicy: Never\n      serviceAccountName: cases",
        policy(p.test_the_setup_job_uses_nothing_that_the_release_makes),
    ),
    (
        LIBRARY + "_setup.tpl",
        ",hook-failed\n",
        "\n",
        policy(p.test_a_setup_that_failed_or_took_too_long_is_gone_with_its_upgrade),
    ),
    (
        LIBRARY + "_pod.tpl",
        "runAsNonRoot: true",
        "runAsNonRoot: false",
        policy(p.test_every_pod_meets_the_restricted_pod_security_standard),
    ),
    (
        LIBRARY + "_pod.tpl",
        "drop: [ALL]",
        "drop: [NET_RAW]",
        policy(p.test_every_pod_meets_the_restricted_pod_security_standard),
    ),
    (
        LIBRARY + "_pod.tpl",
        "- name: tmp\n  mountPath",
        "- name: temp\n  mountPath",
        policy(p.test_everything_a_pod_refers_to_exists_or_is_the_operators),
    ),
    (
        LIBRARY + "_network.tpl",
        "values: [server, test]",
        "values: [server, setup]",
        policy(
            p.test_a_network_policy_is_for_the_server_and_for_the_test_of_what_it_reaches, service="cases"
        ),
    ),
    (
        LIBRARY + "_test.tpl",
        ", check]",
        ", serve]",
        policy(p.test_helms_test_asks_as_the_server_would, service="cases"),
    ),
    (
        LIBRARY + "_monitoring.tpl",
        "port: http",
        "port: metrics",
        policy(p.test_monitors_find_the_service_and_its_metrics_port),
    ),
    (
        LIBRARY + "_config.tpl",
        "RAPPORT_PEERS:",
        "RAPPORT_PEER:",
        policy(s.test_a_service_is_given_the_address_of_every_service_that_it_calls, service="cases"),
    ),
    (
        LISTED,
        "dns:///notifications:7004",
        "dns:///notifications:7400",
        policy(s.test_a_service_is_given_the_address_of_every_service_that_it_calls, service="cases"),
    ),
    (
        LISTED,
        "\nport: 7002",
        "\nport: 7003",
        policy(s.test_a_chart_listens_where_the_service_does, service="cases"),
    ),
    (
        LISTED,
        "    memory: 512Mi",
        "    memory: 128Mi",
        policy(p.test_every_container_asks_for_memory_and_no_more_than_its_limit),
    ),
    (
        "infra/templates/nats.yaml",
        "sync_interval: always",
        "sync_interval: 2m",
        policy(test_infra.test_an_acknowledged_event_is_on_disk),
    ),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "check"),
    MUTATIONS,
    ids=[f"{Path(file).stem}-{' '.join(new.split())[:40]}" for file, _, new, _ in MUTATIONS],
)
def test_a_typo_is_found(charts: Path, tmp_path: Path, file: str, old: str, new: str, check: Check) -> None:
    check(renderer(charts))  # which finds nothing without it
    for chart in ("chassis", "infra", "cases"):
        shutil.copytree(charts / chart, tmp_path / chart)
    mutated = tmp_path / file
    text = mutated.read_text()
    assert text.count(old) == 1
    mutated.write_text(text.replace(old, new))
    if file.startswith(LIBRARY):
        update(tmp_path, ["cases"])
    with pytest.raises((AssertionError, KeyError, FileNotFoundError, helm_python.HelmError)):
        check(renderer(tmp_path))
