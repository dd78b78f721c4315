"""The Dockerfiles are one shape, pass the linter, and name no registry."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ("customer", "cases", "loyalty", "notifications")


@pytest.mark.parametrize("service", SERVICES)
def test_a_dockerfile_passes_the_linter(service: str) -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint, "hadolint is missing: make setup installs it"
    found = subprocess.run(
        [hadolint, ROOT / "services" / service / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_all_dockerfiles_are_one_but_for_the_name_and_the_ports() -> None:
    shapes = set()
    for service in SERVICES:
        port = chart_port(service)
        text = (ROOT / "services" / service / "Dockerfile").read_text()
        assert f"EXPOSE {port} {port + 100}\n" in text
        shapes.add(text.replace(f"EXPOSE {port} {port + 100}", "EXPOSE").replace(service, "SERVICE"))
    assert len(shapes) == 1


def test_an_image_runs_as_a_numeric_user_from_a_base_that_can_be_chosen() -> None:
    text = (ROOT / "services" / "cases" / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    assert not re.search(r"://|index-url|[a-z]+\.[a-z]+/[a-z]", text.split("\n", 2)[2])
    assert text.count("--require-hashes") == 2


def chart_port(service: str) -> int:
    values = yaml.safe_load((ROOT / "deploy" / "helm" / service / "values.yaml").read_text())
    return int(values["port"])
