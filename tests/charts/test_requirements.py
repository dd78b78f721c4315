"""What an image holds is enough: the pinned requirements alone migrate, provision and serve.

The environment is made as the Dockerfile makes it, from `requirements.txt` and our own packages and nothing
else; a library that only a developer's machine has is missed here, and not by the first install in a cluster.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.services import SERVICES
from rapport_testing.engines.ports import free_port
from rapport_testing.engines.postgres import owner_of
from rapport_testing.fixtures import NOBODY
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer
from rapport_testing.wait import eventually

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with what an image has."""
    folder = tmp_path_factory.mktemp("image") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    interpreter = folder / "bin" / "python"
    install = [UV, "pip", "install", "--quiet", "--python", interpreter]
    libraries = [*install, "--require-hashes", "-r", "requirements.txt"]
    for how in (["--offline"], []):
        if subprocess.run([*libraries, *how], cwd=ROOT, check=False).returncode == 0:
            folders = ["proto", "chassis", "identity", "imports", *(f"services/{name}" for name in SERVICES)]
            own = [
                "--no-deps",
                "--build-constraints",
                "requirements-run.txt",
                *(f"./{each}" for each in folders),
            ]
            subprocess.run([*install, *own], cwd=ROOT, check=True)
            # As the Dockerfile does.
            for unread in folder.glob("lib/python3*/site-packages/pycountry/locales"):
                shutil.rmtree(unread)
            return interpreter
    pytest.skip("the requirements can be installed neither from uv's cache nor from an index")


TOOLS = ("rapport_testing", "rapport_tools", "typer", "rich", "pytest", "psutil")
LOOK = """
import importlib, importlib.util, json, pathlib, pkgutil, sys
for package in json.loads(sys.argv[1]):
    found = importlib.import_module(package)
    for each in pkgutil.walk_packages(found.__path__, f"{package}."):
        if ".migrations" not in each.name and not each.name.endswith("__main__"):
            importlib.import_module(each.name)
here = pathlib.Path(sys.prefix)
ours = [p for p in here.rglob("site-packages/*") if p.name in (*json.loads(sys.argv[1]), "rapport")]
print(json.dumps({
    "tools": [name for name in json.loads(sys.argv[2]) if importlib.util.find_spec(name)],
    "commands": [p.name for p in (here / "bin").glob("rapport*")],
    "data": sorted({p.suffix for each in ours for p in each.rglob("*.*")} - {".py", ".pyc", ".typed"}),
    "signers": sorted(p.name for each in ours for p in each.rglob("*.py") if "jwt.encode" in p.read_text()),
    "migrations": len([p for each in ours for p in each.glob("**/migrations/versions/*_0001_*.py")]),
}))
"""


def test_an_image_holds_no_tool_no_issuer_and_no_data_and_all_of_it_can_be_imported(python: Path) -> None:
    packages = json.dumps(["chassis", "rapport_identity", "rapport_imports", *SERVICES])
    told = subprocess.run([python, "-c", LOOK, packages, json.dumps(TOOLS)], capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode()
    found = json.loads(told.stdout)
    assert found == {
        "tools": [],
        "commands": [],
        "data": [".css", ".csv", ".html", ".js", ".json", ".mjml", ".po", ".proto", ".pyi", ".toml", ".txt"],
        "signers": ["settings.py", "vonage.py"],  # for Vonage, by a key that we do not trust
        "migrations": 1 + len(SERVICES),  # the chassis has one, too
    }


@pytest.fixture
def environ(infrastructure: Infrastructure, issuer: TestIssuer) -> Mapping[str, str]:
    """What a pod is given besides its database."""
    peers = dict.fromkeys(SERVICES, NOBODY)
    return {
        "PATH": os.environ["PATH"],
        "RAPPORT_NATS_URL": infrastructure.nats_url,
        "RAPPORT_NATS_ADMIN_URL": infrastructure.nats_url,
        "RAPPORT_JWKS_URL": issuer.jwks_url,
        "RAPPORT_ISSUER": ISSUER,
        "RAPPORT_PEERS": json.dumps(peers),
        "RAPPORT_SMTP_HOST": "127.0.0.1",
        "RAPPORT_HOST": "127.0.0.1",
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_the_requirements_alone_migrate_provision_and_serve(
    python: Path, environ: Mapping[str, str], infrastructure: Infrastructure, service: str
) -> None:
    postgres = infrastructure.postgres
    await postgres.create_database(f"image_{service}")
    http_port = free_port()
    given = {
        **environ,
        "RAPPORT_DATABASE_URL": postgres.url_for(f"image_{service}"),
        "RAPPORT_DATABASE_OWNER_URL": postgres.url_for(f"image_{service}", owner_of(f"image_{service}")),
        "RAPPORT_GRPC_PORT": str(free_port()),
        "RAPPORT_HTTP_PORT": str(http_port),
        "RAPPORT_WEB_PORT": str(free_port()),
    }
    for command in ("migrate", "provision"):
        done = subprocess.run(
            [python, "-m", service, command], env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    server = subprocess.Popen([python, "-m", service, "serve"], env=given)

    def ready() -> bool:
        assert server.poll() is None, f"it ended with {server.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        await eventually(ready, 60)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    assert server.returncode == 0
