"""The Dockerfiles are one shape, pass the linter and name no registry; the charts run what they build."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from deploy.services import SERVICES

ROOT = Path(__file__).parents[2]
Object = dict[str, Any]
Render = Callable[..., list[Object]]


TEMPLATE = jinja2.Template((ROOT / "template" / "Dockerfile.jinja").read_text(), keep_trailing_newline=True)
DOCKERFILES = {
    **{service: (ROOT / "services" / service / "Dockerfile").read_text() for service in SERVICES},
    **{
        company: TEMPLATE.render(company=company, name="billing", port=7022)
        for company in ("rapport", "acme")
    },
}


@pytest.mark.parametrize("whose", DOCKERFILES)
def test_a_dockerfile_passes_the_linter(whose: str) -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint, "hadolint is missing: make setup installs it"
    found = subprocess.run(
        [hadolint, "-"], input=DOCKERFILES[whose], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


# What one service has that no other needs.
OWN = {
    "customer": ("COPY identity identity\n", "./identity "),
    "desk": ("COPY imports imports\n", "./imports "),
}


def test_all_dockerfiles_are_one_but_for_the_name_the_ports_and_what_one_service_alone_needs() -> None:
    made = DOCKERFILES["rapport"].replace("EXPOSE 7022 7122\n", "EXPOSE\n").replace("billing", "SERVICE")
    shapes = {made}
    for service in SERVICES:
        port, web = chart_ports(service)
        text = DOCKERFILES[service]
        for extra in OWN.get(service, ()):
            assert extra in text
            text = text.replace(extra, "")
        exposed = f"EXPOSE {port} {port + 100}{f' {web}' if web else ''}\n"
        assert exposed in text
        shapes.add(text.replace(exposed, "EXPOSE\n").replace(service, "SERVICE"))
    assert len(shapes) == 1


def test_an_image_runs_as_a_numeric_user_from_a_base_that_can_be_chosen() -> None:
    text = (ROOT / "services" / "cases" / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "uv", "${BASE}", "libraries"]
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    assert not re.search(r"://|index-url|[a-z]+\.[a-z]+/[a-z]", text.split("\n", 2)[2])
    assert text.count("--require-hashes") == 3
    assert "rm -r /uv .venv/lib/python3*/site-packages/pycountry/locales" in text


@pytest.mark.parametrize("chart", [*SERVICES, "service", "rapport", "infra"])
def test_every_image_names_a_version(render: Render, chart: str) -> None:
    values = {"collector": {"enabled": True, "endpoint": "tempo:4317"}} if chart == "infra" else {}
    found = images(render(chart, values))
    assert found
    assert all(re.fullmatch(r"[^:@]+:[^:@]+", image) and not image.endswith(":latest") for image in found)


BOTH = {"image": {"registry": "a.example"}, "global": {"imageRegistry": "b.example", "imageTag": "9"}}
DIGEST = "sha256:" + "a" * 64
CHOICES = [
    ({}, "rapport/cases:0.2.0"),
    ({"image": {"tag": "1.2.3"}, "global": {"imageTag": "9.9.9"}}, "rapport/cases:1.2.3"),
    (BOTH, "b.example/rapport/cases:9"),
    ({"image": {"repository": "crm/c", "tag": "1", "digest": DIGEST}}, f"crm/c@{DIGEST}"),
]


@pytest.mark.parametrize(("values", "image"), CHOICES, ids=["default", "tag", "platform", "digest"])
def test_a_digest_wins_over_a_tag_and_the_platforms_registry_over_the_charts(
    render: Render, values: Object, image: str
) -> None:
    assert images(render("cases", values)) == {image}


def images(objects: list[Object]) -> set[str]:
    """Every image that a release runs, in the server, the set-up Job and the test alike."""
    return set(re.findall(r'"image": "([^"]+)"', json.dumps(objects)))


def chart_ports(service: str) -> tuple[int, int]:
    values = yaml.safe_load((ROOT / "deploy" / "helm" / service / "values.yaml").read_text())
    return int(values["port"]), int(values["webPort"])
