"""Runbooks hold commands that exist, as they are written."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from deploy.observability.metrics import ROOT
from rapport_tools.cli.main import build

OF_A_STACK = {"up", "status", "logs", "traces", "mail", "events", "clean"}  # refused where alerts fire
PAGES = sorted((ROOT / "docs" / "runbooks").glob("Rapport*.md"))


def commands(page: Path) -> list[str]:
    return [
        line
        for block in re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_says_what_it_means_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert all(part in text for part in ("**For customers:**", "**See:**", "**Do:**"))
    assert commands(page)


def test_every_command_is_one_that_the_cli_takes_against_a_cluster() -> None:
    """Parsed by its own parser, and not run: what is dropped or published again is nobody's to try."""
    rapport = typer.main.get_command(build())
    for command in dict.fromkeys(line for page in PAGES for line in commands(page)):
        name, *rest = shlex.split(command)
        if name == "kubectl":
            assert rest[0] in {"get", "logs"}, command
            continue
        assert name == "rapport", command
        assert rest[0] not in OF_A_STACK, command
        found = rapport
        while isinstance(found, click.Group):
            found = found.commands[rest.pop(0)]
        if rest != ["--help"]:
            found.make_context(command, rest)
