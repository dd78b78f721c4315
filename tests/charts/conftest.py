"""Charts rendered into objects, and objects checked against the strict schemas of Kubernetes."""

import fcntl
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import pytest
from referencing import Registry, Resource

from deploy.services import SERVICES
from rapport_tools.deploy.members import members
from rapport_tools.deploy.plan import Installation, files
from tests.charts.needed import NEEDED
from tests.helm import rendered

Object = dict[str, Any]
Render = Callable[..., list[Object]]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "deploy" / "helm"
CRDS = Path(__file__).parent / "crds"


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the charts with their dependencies in place, leaves first."""
    folder = tmp_path_factory.mktemp("charts") / "helm"
    shutil.copytree(SOURCE, folder)
    update(folder, ("service", *SERVICES, "rapport"))
    return folder


def update(folder: Path, charts: Sequence[str]) -> None:
    """Put the dependencies of charts in place, leaves first."""
    with (Path(tempfile.gettempdir()) / "rapport-helm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # helm has one cache for all workers
        for chart in charts:
            helm_python.dependency_update(folder / chart)


@pytest.fixture(scope="session")
def render(charts: Path) -> Render:
    """`render("cases", {"replicas": 1})`: every object of a chart, hooks included; not to be changed."""
    return renderer(charts)


def renderer(charts: Path) -> Render:
    """As the fixture `render`, of the charts in a folder."""

    @functools.cache
    def parsed(chart: str, values: str, release: str, namespace: str) -> list[Object]:
        return rendered(charts / chart, json.loads(values), release, namespace)

    def run(
        chart: str, values: Object | None = None, release: str = "", namespace: str = "crm"
    ) -> list[Object]:
        given = {**NEEDED.get(chart, {}), **(values or {})}
        return parsed(chart, json.dumps(given), release or given.get("name") or chart, namespace)

    return run


def content(**options: Any) -> dict[str, Any]:
    """What `rapport deploy prepare` writes of an installation of these options, file by file."""
    made = files(
        Installation(
            members(SERVICES, "crm"), lambda user: f"p-{user}", "{}", "https://cluster.example.org", "{}",
            **{"issuer": "rapport"} | options,
        )
    )  # fmt: skip
    return {path: json.loads(text) for path, text in made.items() if path.endswith(".json")}


@pytest.fixture(scope="session")
def problems() -> Callable[[Object, str], Iterator[str]]:
    """`problems(object, "1.27")`: what the strict schema of its kind finds wrong with an object."""
    return faults


def faults(found: Object, version: str) -> Iterator[str]:
    """As the fixture `problems`."""
    for error in _validator(found["apiVersion"], found["kind"], version).iter_errors(found):
        yield f"{found['kind']}/{found['metadata']['name']} at {error.json_path}: {error.message}"


@functools.cache
def _validator(api_version: str, kind: str, version: str) -> jsonschema.Draft202012Validator:
    own = CRDS / f"{kind}.json"
    if own.exists():
        return jsonschema.Draft202012Validator(json.loads(own.read_text()))
    folder = _schemas(version)
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads((folder / f"{kind.lower()}-{api}.json").read_text())
    registry: Registry[Any] = _definitions(version) @ (Resource.from_contents(schema) @ Registry())
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def _definitions(version: str) -> Resource[Any]:
    return Resource.from_contents(json.loads((_schemas(version) / "_definitions.json").read_text()))


def _schemas(version: str) -> Path:
    bundle = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    return bundle / f"v{version}.0-local-strict"
