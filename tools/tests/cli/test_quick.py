"""The command is quick to say how it is used."""

import subprocess
import sys

import pytest

LOOK = "import sys; from rapport_tools.cli.main import build; build(); print(sys.argv[1] in sys.modules)"


@pytest.mark.parametrize("library", ["sqlalchemy", "asyncpg", "nats", "opentelemetry.sdk", "pydantic"])
def test_what_no_command_needs_to_begin_is_not_loaded(library: str) -> None:
    looked = subprocess.run([sys.executable, "-c", LOOK, library], capture_output=True, text=True, check=True)
    assert looked.stdout == "False\n"
