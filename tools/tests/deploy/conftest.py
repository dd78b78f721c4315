"""An installation that is prepared for a cluster of which only kubectl's answers are there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rapport_testing.engines.ports import free_port, is_listening
from rapport_testing.wait import eventually
from rapport_tools.cli.failures import Failure
from rapport_tools.deploy.command import app
from rapport_tools.deploy.plan import UMBRELLA

ALL = [*UMBRELLA]
KUBECTL = """#!{python}
import json, os, signal, sys
answers = json.load(open(os.path.join(os.path.dirname(__file__), "answers.json")))
asked = " ".join(sys.argv[1:])
if asked in answers and asked.startswith("port-forward"):
    print("E1129 memcache.go:287] couldn't get resource list", file=sys.stderr, flush=True)
    print("Forwarding from 127.0.0.1:" + str(answers[asked]) + " -> 1", flush=True)
    signal.pause()
if asked not in answers:
    sys.exit("error: no answer to " + asked)
print(answers[asked])
"""
ANSWERS = {
    "get --raw /.well-known/openid-configuration": json.dumps({"issuer": "https://cluster.example.org"}),
    "get --raw /openid/v1/jwks": json.dumps({"keys": []}),
}
GIFTS = {
    "service": "gifts",
    "stream": {"name": "GIFTS", "subjects": ["events.gifts.>"]},
    "consumers": [],
    "port": 7010,
    "web_port": 0,
    "calls": ["customer"],
    "permissions": ["customer.customers.read"],
}

Deploy = Callable[..., Result]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`answers({"get ...": text})`: what a kubectl on PATH answers from now on: no API server."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "kubectl"
    script.write_text(KUBECTL.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def answer(more: dict[str, Any] | None = None) -> None:
        (folder / "answers.json").write_text(json.dumps(ANSWERS | (more or {})))

    answer()
    return answer


@pytest.fixture
def deploy(answers: Callable[..., None]) -> Deploy:
    """`deploy("prepare", ...)`: what `rapport deploy` did."""

    def run(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(app, list(map(str, arguments)))
        if isinstance(result.exception, Failure):
            raise result.exception
        return result

    return run


@pytest.fixture
def folder(deploy: Deploy, tmp_path: Path) -> Path:
    """An installation of all services."""
    assert deploy("prepare", *ALL, "--out", tmp_path / "crm").exit_code == 0
    return tmp_path / "crm"


@pytest.fixture
def gifts(tmp_path: Path) -> Path:
    """What the image of another department says of itself."""
    file = tmp_path / "gifts.json"
    file.write_text(json.dumps(GIFTS))
    return file


@pytest.fixture
async def nats(folder: Path, tmp_path: Path) -> Any:
    """The port of a NATS with the accounts of the secret."""
    [secret] = [
        each for each in items(folder, "01-broker.json") if each["metadata"]["name"] == "rapport-nats-auth"
    ]
    port, config = free_port(), tmp_path / "nats.conf"
    config.write_text(
        json.dumps(
            json.loads(secret["stringData"]["auth.conf"])
            | {
                "listen": f"127.0.0.1:{port}",
                "jetstream": {"store_dir": str(tmp_path / "streams")},
                "pid_file": str(tmp_path / "nats.pid"),
            }
        )
    )
    server = Path(sys.executable).parent / "nats-server"
    with (tmp_path / "nats.log").open("w") as log:
        process = subprocess.Popen([server, "--config", config], stdout=log, stderr=log)
    await eventually(lambda: is_listening(port))
    yield port
    process.terminate()
    process.wait()


def items(folder: Path, file: str) -> list[Any]:
    return list(json.loads((folder / "manifests" / file).read_text())["items"])
