"""A department with a repository of its own: it has our wheels, and the service that the template begins.

It does what `docs/own-service.md` and the service's README say. Its environment holds our wheels and its own,
and by links what these require; so nothing needs a network, nothing finds the sources beside it, and a
library that we do not require is missed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import copier
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rapport_testing.engines.postgres import owner_of
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer
from tests.outside.following import command_of, link

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ITS_OWN = ("grpcio-tools",)  # what a department asks for itself, to generate from its contract
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What we publish for departments."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in ("proto", "chassis", "testing"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(build, cwd=ROOT / package, check=True)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Path:
    """The department's folder: in `.venv` our wheels and its own, of the contract that it generated."""
    folder = tmp_path_factory.mktemp("acme") / "parcels"
    answers = {"name": "parcels", "resource": "parcel", "owner": "@acme/parcels"}
    copier.run_copy(str(ROOT), folder, answers, vcs_ref="HEAD", defaults=True, quiet=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    python = folder / ".venv" / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    site = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    install(folder, *wheels)
    link(required(list(distributions(path=[str(site)]))), site)
    run(
        folder,
        "sh",
        "-ec",
        command_of(folder / "README.md", "grpc_tools.protoc"),
        env={"PATH": os.environ["PATH"]},
    )
    run(folder, sys.executable, "-m", "hatchling", "build", "-t", "wheel", env=os.environ)
    install(folder, *(folder / "dist").glob("*.whl"))
    return folder


def install(folder: Path, *wheels: Path) -> None:
    python = folder / ".venv" / "bin" / "python"
    command = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, *wheels]
    subprocess.run(command, check=True)


def required(ours: list[Distribution]) -> list[Distribution]:
    """The libraries that a resolver would install beside our wheels, as this environment has them."""
    found = {canonicalize_name(each.name): each for each in ours}
    todo, seen = [(name, "") for name in (*found, *ITS_OWN)], set[tuple[str, str]]()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        each = found.setdefault(name, distribution(name))
        for wanted in map(Requirement, each.requires or ()):
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(wanted.name), extra) for extra in ("", *wanted.extras)]
    return [each for each in found.values() if each not in ours]


@pytest.fixture
async def environ(infrastructure: Infrastructure, issuer: TestIssuer) -> Mapping[str, str]:
    """What its service is given, in a cluster as here."""
    postgres = infrastructure.postgres
    await postgres.create_database("parcels")
    return {
        "PATH": os.environ["PATH"],
        "RAPPORT_DATABASE_URL": postgres.url_for("parcels"),
        "RAPPORT_DATABASE_OWNER_URL": postgres.url_for("parcels", owner_of("parcels")),
        "RAPPORT_NATS_URL": infrastructure.nats_url,
        "RAPPORT_NATS_ADMIN_URL": infrastructure.nats_url,
        "RAPPORT_JWKS_URL": issuer.jwks_url,
        "RAPPORT_ISSUER": ISSUER,
    }


def run(folder: Path, *command: object, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


async def test_it_declares_migrates_and_provisions_with_what_the_wheels_hold(
    department: Path, environ: Mapping[str, str]
) -> None:
    python = department / ".venv" / "bin" / "python"
    found = run(department, python, "-c", "import chassis, rapport_testing as t; print(chassis, t)", env={})
    assert found.count(str(department)) == 2
    described = json.loads(run(department, python, "-m", "parcels", "describe", env={}))
    assert described["service"] == "parcels"
    assert [each["durable"] for each in described["consumers"]] == ["parcels-customers"]
    run(department, python, "-m", "parcels", "migrate", env=environ)
    run(department, python, "-m", "parcels", "provision", env=environ)


def test_its_own_tests_pass_with_the_fixtures_that_we_ship(department: Path) -> None:
    python = department / ".venv" / "bin" / "python"
    home = {"HOME": str(department), "PATH": os.environ["PATH"]}
    told = run(department, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", env=home)
    assert "10 passed" in told
