"""The example of the desk's README, as whoever tries it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rapport_testing.wait import eventually
from tests.e2e.stack import Stack

README = Path(__file__).parents[2] / "services/desk/README.md"
EXAMPLE = re.compile(r"## Webhooks\n.*?```bash\n(.*?)```", re.DOTALL)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
async def test_the_example_of_a_webhook_is_recorded(stack: Stack) -> None:
    example = EXAMPLE.search(README.read_text())
    assert example
    here = example[1].replace("http://127.0.0.1:8080", stack.home.read_env()["RAPPORT_DESK_URL"])
    sent = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=30, check=True)
    assert "id" in json.loads(sent.stdout), sent.stdout

    def recorded() -> bool:
        return "Where is my order?" in stack.run("view", "Erika Sommer").stdout

    assert await eventually(recorded, 60)
