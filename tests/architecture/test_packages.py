"""Our packages: each declares what it imports, and all that is released together says one version."""

import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from chassis.names import RESERVED
from deploy.services import SERVICES

ROOT = Path(__file__).parents[2]
FOLDERS = [
    path.parent for path in sorted([*ROOT.glob("*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
]
TEMPLATE = ROOT / "template" / "pyproject.toml.jinja"  # of services, here and elsewhere
NEXT = "+next"  # of contracts that are more than the release's
BY_STANDARD_LIBRARY = {"zoneinfo": {"tzdata"}}  # a slim image has no zones of its own


def project(folder: Path) -> dict[str, Any]:
    return read(folder / "pyproject.toml")


def read(file: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(file.read_text())["project"]
    return table


def sources(folder: Path) -> list[tuple[str, Path]]:
    """What a package's wheel holds of Python, by the top of what it is imported as."""
    roots = [folder / part for part in (("gen", "tools") if folder.name == "proto" else ("src",))]
    found = [(root, path) for root in roots for path in root.rglob("*.py")]
    return [(path.relative_to(root).parts[0].removesuffix(".py"), path) for root, path in found]


def module_of(file: str) -> str:
    """What a file of an installed package is imported as; an extension has its platform in its name."""
    path = file.removesuffix("/__init__.py").removesuffix(".py")
    return re.sub(r"(\.[\w-]+)?\.so$", "", path).replace("/", ".")


def providers() -> dict[str, set[str]]:
    """The distributions that each module of this environment is of: several share `google`."""
    found: dict[str, set[str]] = {}
    for each in distributions():
        for file in each.files or ():
            if file.suffix in {".py", ".so"}:
                found.setdefault(module_of(file.as_posix()), set()).add(canonicalize_name(each.name))
    ours: dict[str, set[str]] = {}  # several have a part of `rapport`
    for folder in FOLDERS:
        for top, _ in sources(folder):
            ours.setdefault(top, set()).add(project(folder)["name"])
    return found | ours


def imported(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Each import that runs, by what it may be called: `from a import b` is of the module a.b, or of a."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((each.name,) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "an import is not relative"
            yield from ((f"{node.module}.{each.name}", node.module) for each in node.names)
        else:
            yield from imported(node)


def needed(names: tuple[str, ...], known: dict[str, set[str]]) -> set[str]:
    """The distributions of which an import needs one; the standard library needs none, but for its data."""
    top = names[-1].partition(".")[0]
    if top in sys.stdlib_module_names:
        return BY_STANDARD_LIBRARY.get(top, set())
    for name in names:
        while name:
            if name in known:
                return known[name]
            name = name.rpartition(".")[0]
    raise AssertionError(f"nothing installed has the module {names[-1]}")


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    return providers()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_package_declares_whatever_it_imports(folder: Path, known: dict[str, set[str]]) -> None:
    declared = {canonicalize_name(Requirement(each).name) for each in project(folder)["dependencies"]}
    declared.add(project(folder)["name"])
    imports = {
        (names, path.relative_to(ROOT))
        for _, path in sources(folder)
        for names in imported(ast.parse(path.read_text()))
    }
    assert imports
    undeclared = {
        f"{path} imports {names[-1]}"
        for names, path in imports
        if (of := needed(names, known)) and not of & declared
    }
    assert undeclared == set()


def stated() -> Iterator[tuple[str, str]]:
    """Every place that says which version this is, and what it says; the chart `chassis` has its own."""
    for folder in FOLDERS:
        if folder.parent == ROOT or folder.name in SERVICES:  # a department in here has versions of its own
            yield f"{folder.name}/pyproject.toml", project(folder)["version"].removesuffix(NEXT)
    yield "the template", read(TEMPLATE)["version"]
    for path in ROOT.glob("deploy/helm/*/Chart.yaml"):
        chart = yaml.safe_load(path.read_text())
        if chart["type"] == "application":
            yield f"{path}: version", chart["version"]
            yield f"{path}: appVersion", chart["appVersion"]
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("services/*/*"),
    ]:
        if path.is_file():
            for version in re.findall(r"\brapport/[a-z<>]+:(\d[\w.]*)", path.read_text()):
                yield f"{path}: image", version
    changes = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    yield "CHANGELOG.md", next(each for each in changes if each != "Unreleased").split()[0]


def test_everything_says_one_version() -> None:
    ours = project(ROOT / "chassis")["version"]
    assert {place: version for place, version in stated() if version != ours} == {}


def test_the_template_takes_no_name_that_a_service_cannot_have() -> None:
    taken = yaml.safe_load((ROOT / "copier.yml").read_text())["taken"]["default"]
    assert set(yaml.safe_load(taken)) >= RESERVED


def test_the_newest_release_in_the_table_is_this_one_with_the_contracts_that_it_froze() -> None:
    page = (ROOT / "docs/releases.md").read_text()
    rows = re.findall(
        r"^\| ([\d.]+) \| (\S+) \| `([0-9a-f]{12})` \| `([0-9a-f]{64})` \|$", page, re.MULTILINE
    )
    version, day, _, digest = rows[0]
    assert version == project(ROOT / "chassis")["version"]
    assert f"## {version} ({day})" in (ROOT / "CHANGELOG.md").read_text().splitlines()
    assert hashlib.sha256((ROOT / "proto/released.binpb").read_bytes()).hexdigest() == digest


def test_contracts_that_are_more_than_the_release_say_so(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "proto/generate.py", "--image", tmp_path / "now.binpb"]
    subprocess.run(command, check=True)
    released, now = (contracts(image) for image in (ROOT / "proto/released.binpb", tmp_path / "now.binpb"))
    assert project(ROOT / "proto")["version"].endswith(NEXT) == (released != now)


def contracts(image: Path) -> dict[str, FileDescriptorProto]:
    """Ours in a descriptor set, without what comments say."""
    files = FileDescriptorSet.FromString(image.read_bytes()).file
    for file in files:
        file.ClearField("source_code_info")
    return {file.name: file for file in files if (ROOT / "proto" / file.name).exists()}


def test_our_packages_and_charts_take_each_other_in_this_minor_version_alone() -> None:
    major, minor, _ = map(int, project(ROOT / "chassis")["version"].split("."))
    packages = [*map(project, FOLDERS), read(TEMPLATE)]
    ours = [each for package in packages for each in package["dependencies"]]
    required = [each for each in ours if each.startswith("rapport-")]
    assert required
    bounds = f">={major}.{minor},<{major}.{minor + 1}"
    assert [each for each in required if each != f"{Requirement(each).name}{bounds}"] == []
    umbrella = yaml.safe_load((ROOT / "deploy/helm/rapport/Chart.yaml").read_text())
    assert {each["version"] for each in umbrella["dependencies"]} == {f"{major}.{minor}.x"}
