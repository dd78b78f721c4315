"""Commands against a cluster: a real service with TLS, and a kubectl that forwards to it.

There is no API server here: kubectl is a script with its answers, the service is a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from chassis.events.provision import provision
from rapport_testing.certificates import Authority
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer
from rapport_testing.wait import eventually
from rapport_tools.cli import cluster
from rapport_tools.cli.main import build, run

Rapport = Callable[..., tuple[int, str, str]]
SERVICES = {
    "items": [
        {
            "metadata": {"name": "loyalty", "labels": {"app.kubernetes.io/name": "loyalty"}},
            "spec": {"ports": [{"name": "grpc", "port": 7003}, {"name": "http", "port": 7103}]},
        }
    ]
}
KUBECTL = """#!{python}
import os, signal, sys
if sys.argv[1:3] == ["get", "services"]:
    assert sys.argv[4] in ("crm", "gifts"), sys.argv
    print('''{services}''')
elif sys.argv[1:] == ["port-forward", "--namespace", "crm", "service/loyalty", ":7003"]:
    open("{folder}/forwards", "a").write(str(os.getpid()) + "\\n")
    print("Forwarding from 127.0.0.1:{port} -> 7003", flush=True)
    signal.pause()
else:
    sys.exit("error: " + " ".join(sys.argv))
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
async def loyalty(
    infrastructure: Infrastructure,
    issuer: TestIssuer,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[int]:
    """The port of a loyalty service whose certificate has the names that the chart asks for."""
    [point] = entry_points(group="rapport.services", name="loyalty")
    service: Any = point.load()
    folder = tmp_path_factory.mktemp("loyalty")
    await provision(infrastructure.nats_url, service.declaration())
    port, http = free_port(), free_port()
    database = await infrastructure.fresh_database("loyalty", service.migrations)
    settings = {
        "RAPPORT_DATABASE_URL": database,
        "RAPPORT_NATS_URL": infrastructure.nats_url,
        "RAPPORT_JWKS_URL": issuer.jwks_url,
        "RAPPORT_ISSUER": ISSUER,
        "RAPPORT_HOST": "127.0.0.1",
        "RAPPORT_GRPC_PORT": str(port),
        "RAPPORT_HTTP_PORT": str(http),
        "RAPPORT_PEERS": json.dumps({"cases": "127.0.0.1:9"}),
        "RAPPORT_TLS_DIR": str(authority.issue(folder / "tls", "loyalty", ("loyalty", "localhost"))),
    }
    inherited = {
        name: each for name, each in os.environ.items() if not name.startswith(("RAPPORT_", "OTEL_"))
    }
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "loyalty"], env=inherited | settings, stdout=log, stderr=log
    )

    def ready() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        return "serving" in (folder / "log").read_text()

    try:
        await eventually(ready, 60)
        yield port
    finally:
        process.kill()
        process.wait()
        log.close()
        await infrastructure.drop_database(database)
        await infrastructure.drop_streams()


@pytest.fixture
def rapport(
    authority: Authority,
    issuer: TestIssuer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Rapport:
    """`rapport ...` with a token and certificates of a person's own: its exit code and what it said."""
    (tmp_path / "token").write_text(issuer.token())
    monkeypatch.setenv("RAPPORT_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("RAPPORT_TLS_DIR", str(authority.issue(tmp_path / "own", "operator")))
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["rapport", *words])
        code = run(build())
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def kubectl(loyalty: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl on PATH; the file has a line for each that forwards."""
    script = tmp_path / "bin" / "kubectl"
    script.parent.mkdir()
    script.write_text(
        KUBECTL.format(python=sys.executable, services=json.dumps(SERVICES), port=loyalty, folder=tmp_path)
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "forwards"


@pytest.fixture
def named(loyalty: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is named by the environment, by a name of its certificate."""
    monkeypatch.setenv("RAPPORT_PEERS", json.dumps({"loyalty": f"dns:///localhost:{loyalty}"}))


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctor"], "Nothing is wrong."),
        (["outbox", "status"], "loyalty"),
        (["dead-letters", "list"], "No dead letters."),
        (["dead-letters", "list", "loyalty-goodwill"], "No dead letters."),
        (["consumers"], "loyalty-promises"),
        (["outbox", "republish", "--since", "2026-01-01"], "loyalty: 0 events published again."),
    ],
)
def test_operators_ask_a_service_that_the_environment_names(
    rapport: Rapport, words: list[str], said: str
) -> None:
    code, out, err = rapport(*words)
    assert (code, err) == (0, "")
    assert said in out


def test_a_forwarded_service_is_known_by_its_name_and_the_forward_ends(
    rapport: Rapport, kubectl: Path
) -> None:
    """Its address is on loopback, of which its certificate says nothing."""
    assert rapport("--port-forward", "crm", "doctor")[:2] == (0, "Nothing is wrong.\n")
    [forward] = kubectl.read_text().split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(forward), signal.SIGCONT)
    assert not cluster.is_meant()


def test_a_call_is_made_as_the_token_says(rapport: Rapport, kubectl: Path, tmp_path: Path) -> None:
    words = ["--port-forward", "crm", "call", "ProgramService.ListPrograms", "{}"]
    assert rapport(*words)[0] == 0
    (tmp_path / "token").write_text("nonsense")
    code, _, err = rapport(*words)
    assert (code, err.partition(":")[2].partition(":")[0]) == (1, " TOKEN_INVALID")


@pytest.mark.usefixtures("named")
def test_without_certificates_it_is_not_reached(rapport: Rapport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAPPORT_TLS_DIR")
    code, out, _ = rapport("doctor")
    assert code == 1
    assert "loyalty cannot say what waits (UNAVAILABLE).\n    See `kubectl logs deploy/loyalty`." in out


def test_an_installation_with_an_issuer_of_its_own_signs_as_whom_one_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jwt

    from rapport_tools.local.home import Home
    from rapport_tools.local.issuer import Issuer

    home = Home(tmp_path)
    home.keys.mkdir()
    Issuer(home, "rapport")
    home.write_env({"RAPPORT_ISSUER": "rapport"})
    monkeypatch.delenv("RAPPORT_TOKEN_FILE", raising=False)
    claims = jwt.decode(cluster.token(home, "agent:alice", "front-desk"), options={"verify_signature": False})
    assert (claims["iss"], claims["sub"]) == ("rapport", "agent:alice")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port-forward", "crm", "doctor"], "RAPPORT_TOKEN_FILE must name the file with your token"),
        (["--port-forward", "crm", "events", "tail"], "This is of a stack on this machine"),
        (["--port-forward", "crm", "traces", "list"], "This is of a stack on this machine"),
    ],
)
@pytest.mark.usefixtures("kubectl")
def test_what_cannot_be_is_refused_with_a_sentence(
    rapport: Rapport, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.delenv("RAPPORT_TOKEN_FILE")
    code, _, err = rapport(*words)
    assert code == 2
    assert said in err


def test_who_calls_itself_as_another_in_a_second_namespace_is_shown_no_token(
    rapport: Rapport, kubectl: Path
) -> None:
    code, _, err = rapport("--port-forward", "crm,gifts", "doctor")
    assert code == 2
    assert "There is a loyalty in crm and gifts: name one of them." in err
    assert not kubectl.exists()


def test_a_kubectl_that_reaches_nothing_is_told(rapport: Rapport, kubectl: Path) -> None:
    code, _, err = rapport("--port-forward", "shop", "doctor")
    assert code == 3
    assert "kubectl get" in err


def test_a_cause_has_the_link_to_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_TRACE_LINK", "https://traces.example.org/trace/{trace_id}")
    assert cluster.trace("0af7") == "0af7"
    monkeypatch.setenv("RAPPORT_PORT_FORWARD", "crm")
    assert cluster.trace("0af7") == "https://traces.example.org/trace/0af7"


def test_the_environment_of_a_local_stack_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_PEERS", "{}")
    monkeypatch.delenv("RAPPORT_TOKEN_FILE", raising=False)
    assert not cluster.is_meant()
