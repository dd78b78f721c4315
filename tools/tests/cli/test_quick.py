"""The command is quick to say how it is used."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
import typer

from rapport_tools.cli.main import build

LOOK = "import sys; from rapport_tools.cli.main import build; build(); print(sys.argv[1] in sys.modules)"


@pytest.mark.parametrize("library", ["sqlalchemy", "asyncpg", "nats", "opentelemetry.sdk", "pydantic"])
def test_what_no_command_needs_to_begin_is_not_loaded(library: str) -> None:
    looked = subprocess.run([sys.executable, "-c", LOOK, library], capture_output=True, text=True, check=True)
    assert looked.stdout == "False\n"


@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "token", "mail"])
def test_a_command_loads_nothing_of_the_others(command: str) -> None:
    look = "import sys; from rapport_tools.cli.main import build; build(); print('grpc' in sys.modules)"
    looked = subprocess.run([sys.executable, "-c", look, command], capture_output=True, text=True, check=True)
    assert looked.stdout == "False\n"


def test_a_stack_starts_without_what_its_services_alone_need() -> None:
    look = "import sys; import rapport_tools.cli.foreground; print('sqlalchemy' in sys.modules)"
    looked = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert looked.stdout == "False\n"


def test_every_command_is_called_as_its_entry_point() -> None:
    """Or it would not be found where another command's name stands among its arguments."""
    names = entry_points(group="rapport.commands").names
    listed: Any = typer.main.get_command(build())
    assert set(listed.commands) == names
