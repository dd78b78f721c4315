"""`rapport deploy prepare`: from declarations to what an installation needs before its releases."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rapport_tools.cli.failures import Failure
from tools.tests.deploy.conftest import ALL, GIFTS, Deploy


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def passwords(folder: Path) -> set[str]:
    return {path.read_text() for path in (folder / "passwords").iterdir()}


def named(folder: Path, file: str) -> dict[tuple[str, str], Any]:
    items = read(folder / "manifests" / file)["items"]
    return {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in items}


def _accounts(of: dict[str, str]) -> Any:
    [secret] = json.loads(of["manifests/01-broker.json"])["items"]
    return json.loads(secret["stringData"]["auth.conf"])["accounts"]


def test_run_again_it_changes_nothing(deploy: Deploy, folder: Path) -> None:
    before = texts(folder)
    assert deploy("prepare", *reversed(ALL), "--out", folder).output == "Nothing has changed.\n"
    assert deploy("prepare", *ALL, "--out", folder, "--diff").exit_code == 0
    assert texts(folder) == before


def test_a_diff_writes_nothing_and_tells_no_password(deploy: Deploy, folder: Path, gifts: Path) -> None:
    before = texts(folder)
    result = deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--diff")
    assert result.exit_code == 1
    assert "new, with passwords: manifests/gifts.json" in result.output
    assert '+      "gifts"' in result.output
    assert texts(folder) == before
    assert not any(password in result.output for password in passwords(folder))


def test_a_diff_says_in_words_what_a_department_may(deploy: Deploy, folder: Path, gifts: Path) -> None:
    gifts.write_text(json.dumps(GIFTS | {"consumers": [CONSUMER]}))
    shown = deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--diff").output.splitlines()
    assert [line for line in shown if line.startswith("+gifts ")] == [
        "+gifts calls customer",
        "+gifts may customer.customers.read",
        "+gifts hears events.cases.promise.made.v1",
    ]


def test_what_would_be_made_in_an_empty_folder_is_not_made_by_a_diff(deploy: Deploy, tmp_path: Path) -> None:
    assert deploy("prepare", *ALL, "--out", tmp_path / "new", "--diff").exit_code == 1
    assert not (tmp_path / "new").exists()


def test_nothing_is_for_other_users_and_no_password_is_printed(deploy: Deploy, tmp_path: Path) -> None:
    result = deploy("prepare", *ALL, "--out", tmp_path / "crm")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "crm").rglob("*")} == {0}
    assert not any(password in result.output for password in passwords(tmp_path / "crm"))


def test_secrets_are_those_that_the_charts_expect(folder: Path) -> None:
    secrets = named(folder, "cases.json")
    assert {name for _, name in secrets} == {
        *(f"cases-{each}" for each in ("database", "database-owner", "nats", "nats-admin"))
    }
    url = secrets["crm", "cases-database-owner"]["stringData"]["url"]
    assert url.startswith("postgresql://cases_owner:")
    assert url.endswith("@postgres-rw:5432/cases")


def test_databases_of_others_on_the_server_are_left_as_they_are(folder: Path) -> None:
    named = re.findall(r'DATABASE "?(\w+)', (folder / "databases.sql").read_text())
    assert set(named) == {*ALL}


def test_kubectl_makes_the_namespaces_before_what_is_in_them(folder: Path) -> None:
    """It takes the files of a folder by name."""
    first, *_ = sorted((folder / "manifests").iterdir())
    assert {each["kind"] for each in read(first)["items"]} == {"Namespace"}


def test_a_service_is_its_account_with_what_it_declares(folder: Path) -> None:
    data = named(folder, "01-workloads.json")["crm", "rapport-workloads"]["data"]
    assert json.loads(data["accounts.json"])["system:serviceaccount:crm:cases"] == {
        "service": "cases",
        "department": "cases",
        "permissions": ["customer.timeline_entries.read", "notifications.notices.read"],
    }


def test_a_department_joins_and_others_change_only_where_they_must(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    """Its caller, timeline, earning rules and policies hear of it, broker and accounts know it: no other."""
    before = texts(folder)
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder)
    after = texts(folder)
    changed = {path for path, text in before.items() if after[path] != text}
    assert changed == {
        "services.json",
        "databases.sql",
        "manifests/00-namespaces.json",
        "manifests/01-broker.json",
        "manifests/01-issuer.json",
        "manifests/01-workloads.json",
        "rights.txt",
        "values/infra.json",
        "values/nats.json",
        "values/customer.json",
        "values/loyalty.json",
        "values/notifications.json",
        "values/rapport.json",
    }
    was, now = (_accounts(each) for each in (before, after))
    assert now["cases"] == was["cases"]
    assert set(now) - set(was) == {"gifts"}
    was, now = (json.loads(each["values/customer.json"]) for each in (before, after))
    assert now == was | {"sources": ["gifts"], "networkPolicy": {"namespaces": ["gifts"]}}
    was, now = (json.loads(each["values/loyalty.json"]) for each in (before, after))
    assert now == was | {"sources": ["gifts"]}
    own = read(folder / "values" / "gifts.json")
    assert own["peers"] == {"customer": "dns:///customer.crm.svc:7001"}
    url = named(folder, "gifts.json")["gifts", "gifts-nats"]["stringData"]["url"]
    assert url.endswith("@nats.crm.svc:4222")
    assert ("gifts", "gifts-nats-admin") in named(folder, "gifts.json")
    assert ("gifts", "rapport-workloads") in named(folder, "01-workloads.json")


def test_what_was_said_of_an_installation_holds_until_something_else_is(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    said = ["--issuer", "https://issuer.example.org", "--jwks-url", "https://issuer.example.org/jwks"]
    said += ["--database-host", "db.example.org:25060", "--nats-tls", "authority", "--monitoring"]
    deploy("prepare", *ALL, "--out", folder, *said)
    assert not (folder / "manifests" / "01-issuer.json").exists()
    before = read(folder / "values" / "cases.json")
    assert deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder).exit_code == 0
    assert read(folder / "values" / "cases.json") == before
    assert before["networkPolicy"]["egress"] == [{"ports": [{"port": 25060}]}]
    assert before["auth"]["issuer"] == "https://issuer.example.org"
    assert before["nats"] == {"tls": {"existingSecret": "authority"}}
    secrets = named(folder, "gifts.json")
    assert "@db.example.org:25060/gifts" in secrets["gifts", "gifts-database"]["stringData"]["url"]
    assert secrets["gifts", "gifts-nats-admin"]["stringData"]["url"].startswith("tls://provision-gifts:")
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--no-monitoring", "--nats-tls", "")
    assert "serviceMonitor" not in read(folder / "values" / "cases.json")
    assert read(folder / "values" / "nats.json")["official"]["config"]["nats"] == {"tls": {"enabled": False}}


def test_a_first_look_has_one_server_and_a_department_beside_it_one_copy_of_its_events(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    assert read(folder / "values" / "cases.json")["setup"] == {"streamReplicas": 3}
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--nats-servers", "1")
    assert read(folder / "values" / "gifts.json")["setup"] == {"streamReplicas": 1}
    assert read(folder / "values" / "infra.json")["nats"]["replicas"] == 1
    cluster = read(folder / "values" / "nats.json")["official"]["config"]["cluster"]
    assert cluster == {"enabled": False, "replicas": 1}
    with pytest.raises(Failure, match="--nats-servers is 1, 3 or 5"):
        deploy("prepare", *ALL, gifts, "--out", folder, "--nats-servers", "2")


def test_a_nats_of_ones_own_is_named_and_none_of_ours_is_installed(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--nats-host", "broker:4333")
    urls = {
        name: named(folder, f"{name}.json")[at, f"{name}-nats"]["stringData"]["url"]
        for name, at in (("cases", "crm"), ("gifts", "gifts"))
    }
    assert urls["cases"].endswith("@broker:4333")
    assert urls["gifts"].endswith("@broker.crm.svc:4333")
    assert read(folder / "values" / "cases.json")["networkPolicy"]["egress"] == [{"ports": [{"port": 4333}]}]
    assert read(folder / "values" / "infra.json") == {"nats": {"enabled": False}}
    assert not (folder / "values" / "nats.json").exists()


def test_a_nats_with_tls_is_not_that_of_infra_which_speaks_none(deploy: Deploy, folder: Path) -> None:
    deploy("prepare", *ALL, "--out", folder, "--nats-tls", "authority")
    assert read(folder / "values" / "infra.json") == {"nats": {"enabled": False}}


def test_the_operator_finds_monitors_and_rules_and_alerts_their_pages(deploy: Deploy, folder: Path) -> None:
    said = [
        "--monitoring",
        "--monitoring-label",
        "release=prometheus",
        "--runbooks",
        "https://docs.example.org/r",
    ]
    deploy("prepare", *ALL, "--out", folder, *said)
    values = read(folder / "values" / "cases.json")
    assert values["serviceMonitor"] == {"enabled": True, "labels": {"release": "prometheus"}}
    assert values["prometheusRule"] == values["serviceMonitor"] | {"runbooks": "https://docs.example.org/r"}


def test_without_a_cluster_its_issuer_and_keys_are_given_once(
    deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match="Without a cluster, --cluster-issuer and"):
        deploy("prepare", *ALL, "--out", tmp_path / "crm")
    keys = tmp_path / "jwks.json"
    keys.write_text('{"keys": [{"kid": "one"}]}')
    given = ["--cluster-issuer", "https://cluster.example.org", "--cluster-jwks", keys]
    deploy("prepare", *ALL, "--out", tmp_path / "crm", *given)
    assert deploy("prepare", *ALL, "--out", tmp_path / "crm").output == "Nothing has changed.\n"
    workloads = named(tmp_path / "crm", "01-workloads.json")["crm", "rapport-workloads"]["data"]
    assert workloads["jwks.json"] == keys.read_text()
    issuer = read(tmp_path / "crm" / "values" / "cases.json")["auth"]["workloads"]["issuer"]
    assert issuer == "https://cluster.example.org"


def test_each_namespace_finds_the_collector(deploy: Deploy, folder: Path, gifts: Path) -> None:
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder, "--otlp-endpoint", "http://collector:4320")
    cases, own = (read(folder / "values" / f"{name}.json") for name in ("cases", "gifts"))
    assert cases["telemetry"] == {"endpoint": "http://collector:4320"}
    assert own["telemetry"] == {"endpoint": "http://collector.crm.svc:4320"}
    assert own["networkPolicy"]["egress"] == [{"ports": [{"port": 4320}]}]
    with pytest.raises(Failure, match="--otlp-endpoint is http://HOST:PORT"):
        deploy("prepare", *ALL, gifts, "--out", folder, "--otlp-endpoint", "collector:4317")


def test_what_was_written_of_who_has_left_is_removed(deploy: Deploy, folder: Path, gifts: Path) -> None:
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder)
    (folder / "services.json").unlink()
    shown = deploy("prepare", *ALL, "--out", folder, "--diff").output
    told = deploy("prepare", *ALL, "--out", folder).output
    for path in ("manifests/gifts.json", "values/gifts.json"):
        assert f"gone: {path}" in shown
        assert f"Removed {folder / path}" in told
        assert not (folder / path).exists()


def test_a_service_stays_where_it_lives_until_it_is_said_to_live_elsewhere(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder)
    assert deploy("prepare", *ALL, gifts, "--out", folder).output == "Nothing has changed.\n"
    deploy("prepare", *ALL, f"{gifts}@crm", "--out", folder)
    assert ("crm", "gifts-nats") in named(folder, "gifts.json")


def test_a_department_that_calls_nobody_still_reaches_the_broker(
    deploy: Deploy, folder: Path, gifts: Path
) -> None:
    gifts.write_text(json.dumps(GIFTS | {"calls": []}))
    deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder)
    assert read(folder / "values" / "gifts.json")["networkPolicy"] == {"namespaces": ["crm"]}


CONSUMER = {
    "durable": "gifts-promises",
    "source": "cases",
    "stream": "CASES",
    "subjects": ["events.cases.promise.made.v1"],
    "max_ack_pending": 1,
}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"service": "nats"}, "no service can be called nats"),
        ({"service": "Gifts"}, "a service is called by"),
        ({"service": 5}, "a service is called by"),
        ({"port": "7010"}, "ports: '7010'"),
        ({"calls": "customer"}, "is not what"),
        ({"permissions": ["*"]}, "permissions: '*'"),
        ({"permissions": ["customer.customers.read", "cases."]}, "permissions: 'cases.'"),
        ({"consumers": [CONSUMER | {"durable": "loyalty-promises"}]}, "consumers: 'loyalty-promises'"),
        ({"consumers": [CONSUMER | {"durable": "*"}]}, "consumers: '*'"),
        ({"consumers": [CONSUMER | {"source": ">"}]}, "sources: '>'"),
        ({"consumers": [CONSUMER | {"subjects": ["events.loyalty.>"]}]}, "subjects: 'events.loyalty.>'"),
    ],
)
def test_what_a_department_may_not_say_of_itself_is_refused(
    deploy: Deploy, folder: Path, gifts: Path, told: dict[str, Any], said: str
) -> None:
    """It would be an account of another's, or take another's events."""
    gifts.write_text(json.dumps(GIFTS | told))
    before = texts(folder)
    with pytest.raises(Failure, match=re.escape(said)):
        deploy("prepare", *ALL, f"{gifts}@gifts", "--out", folder)
    assert texts(folder) == before


@pytest.mark.parametrize("host", ["db.example.org:", "db:port", "[::1]", "user@db", "-db"])
@pytest.mark.parametrize("option", ["--database-host", "--nats-host"])
def test_what_is_no_host_is_refused(deploy: Deploy, tmp_path: Path, option: str, host: str) -> None:
    with pytest.raises(Failure, match=f"{option} is HOST or HOST:PORT"):
        deploy("prepare", *ALL, "--out", tmp_path / "x", f"{option}={host}")


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        (["--issuer=foo", "--jwks-url=http://foo/jwks"], "--jwks-url is https://..., not 'http://foo/jwks'"),
        (["--issuer=foo"], "--issuer and --jwks-url belong together"),
        (["--runbooks=https://foo/"], "--runbooks is https://... without a slash at its end"),
        (["--monitoring-label=prometheus"], "--monitoring-label is NAME=VALUE"),
    ],
)
def test_what_the_charts_would_refuse_is_refused(
    deploy: Deploy, tmp_path: Path, said: list[str], refused: str
) -> None:
    with pytest.raises(Failure, match=re.escape(refused)):
        deploy("prepare", *ALL, "--out", tmp_path / "x", *said)


def test_who_is_left_out_would_lose_its_account_which_is_refused(deploy: Deploy, folder: Path) -> None:
    with pytest.raises(Failure, match="has desk too"):
        deploy("prepare", *(name for name in ALL if name != "desk"), "--out", folder)


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (["nobody"], "no installed service"),
        (["cases"], "cases calls customer, notifications, which must be named too"),
        (["cases", "cases"], "named twice"),
        (["cases@Crm"], "cannot be the name of a namespace"),
        (["no-such-file.json"], "is not what"),
    ],
)
def test_what_is_no_installation_is_refused(
    deploy: Deploy, tmp_path: Path, services: list[str], said: str
) -> None:
    with pytest.raises(Failure, match=said):
        deploy("prepare", *services, "--out", tmp_path / "x")


@pytest.mark.parametrize(
    ("service", "keys"),
    [("customer", ["RAPPORT_ADDRESS_PEPPER", "RAPPORT_LINK_KEYS"]), ("loyalty", ["RAPPORT_CARD_PEPPER"])],
)
def test_the_keys_of_links_suppressed_addresses_and_cards_are_made_once(
    deploy: Deploy, folder: Path, service: str, keys: list[str]
) -> None:
    secret = named(folder, f"{service}.json")["crm", f"{service}-keys"]["stringData"]
    assert sorted(secret) == keys
    assert len({value for value in secret.values() if len(value) >= 32}) == len(keys)
    assert read(folder / f"values/{service}.json")["settingsSecrets"] == [f"{service}-keys"]
    assert "settingsSecrets" not in read(folder / "values/cases.json")
    deploy("prepare", *ALL, "--out", folder)
    assert named(folder, f"{service}.json")["crm", f"{service}-keys"]["stringData"] == secret


def test_a_key_that_an_installation_had_before_is_taken_from_the_folder(deploy: Deploy, folder: Path) -> None:
    (folder / "passwords" / "loyalty-rapport_card_pepper").write_text(
        "of-tests-alone-and-not-a-secret-pepper"
    )
    deploy("prepare", *ALL, "--out", folder)
    secret = named(folder, "loyalty.json")["crm", "loyalty-keys"]["stringData"]
    assert secret == {"RAPPORT_CARD_PEPPER": "of-tests-alone-and-not-a-secret-pepper"}
