"""`docs/adding-a-service.md`, followed to the letter by a newcomer to this repository.

Its blocks of commands are run in a throw-away clone, whose `.venv` has this one's libraries by links, so that
nothing needs a network; our packages and the new service are installed into it as anywhere.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import httpx
import pytest

from rapport_testing.infrastructure import in_memory
from rapport_testing.wait import eventually
from tests.e2e.stack import Stack
from tests.outside.following import command_of, link

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-service.md"
ENV = {
    "MAKEFLAGS": "get_uv=: MODULES=billing",  # uv is there; types of all others take minutes
    "UV_OFFLINE": "1",
    "PYTHON": os.path.realpath(sys.executable),
    **{f"GIT_{who}_{what}": "newcomer" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which `make service` was called as the page says."""
    folder = tmp_path_factory.mktemp("newcomer") / "rapport"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    libraries = [each for each in distributions() if not each.name.startswith("rapport-")]
    link(libraries, folder / ".venv" / "lib" / python / "site-packages")
    run(folder, command_of(PAGE, "make service "))
    return folder


@pytest.fixture(scope="module")
def stack(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What `make run` starts there."""
    with in_memory(tmp_path_factory.mktemp("stack")) as folder:
        running = Stack(folder, rapport=str(clone / ".venv/bin/rapport"))
        with running.up():
            yield running


def run(folder: Path, commands: str, **env: str) -> str:
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env={**os.environ, **ENV, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_one_folder_and_a_line_for_its_owner_are_all_that_is_new(clone: Path) -> None:
    assert (
        run(clone, "git status --porcelain") == " M CODEOWNERS\n M docs/contracts.md\n?? services/billing/\n"
    )


def test_its_tests_and_the_checks_pass(clone: Path) -> None:
    assert "10 passed" in run(clone, command_of(PAGE, "make check"))
    run(clone, ".venv/bin/python -m pytest -q tests/architecture/test_docs.py")


async def test_its_facts_and_its_section_are_seen_by_whoever_serves_the_customer(
    clone: Path, stack: Stack
) -> None:
    await eventually(lambda: stack.unit("billing")["state"] == "ready", 120)
    told = run(
        clone, command_of(PAGE, "rapport view") + 'echo "$customer"', RAPPORT_HOME=str(stack.home.path)
    )
    customer = told.split()[-1]

    def is_shown() -> bool:
        view = stack.run("view", customer).stdout
        return "InvoiceCreated" in view and "Open invoices" in view

    await eventually(is_shown, 60)
    desk = stack.home.read_env()["RAPPORT_DESK_URL"]
    async with httpx.AsyncClient(follow_redirects=True, trust_env=False, timeout=60) as browser:
        asked = await browser.get(f"{desk}/{customer}")
        page = await browser.post(asked.url, data={"who": "alice"})
    assert str(page.url) == f"{desk}/{customer}", page.text
    assert "Open invoices" in page.text


def test_what_changes_in_the_template_comes_as_a_diff_and_what_is_its_own_stays(clone: Path) -> None:
    own, template = clone / "services/billing/README.md", clone / "template/README.md.jinja"
    own.write_text(own.read_text().replace("Owns invoices", "Keeps invoices"))
    template.write_text(template.read_text().replace("## Events\n", "## What it tells\n"))
    run(clone, "git add --all && git commit --quiet --message 'Billing, and a better template'")
    told = run(clone, command_of(PAGE, "make service-update"))
    assert "\n-## Events\n+## What it tells\n" in told
    assert "Keeps invoices" in own.read_text()


def test_what_is_taken_away_is_missed_by_nothing(clone: Path) -> None:
    run(clone, command_of(PAGE, "pip uninstall"))
    contracts = "from chassis.contracts import contracts; print(contracts())"
    assert "billing" not in run(clone, f'cat CODEOWNERS && .venv/bin/python -c "{contracts}"')
