"""The whole platform as separate processes, as `make run` starts it, with failpoints armed by files."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from chassis.local.home import Home

RAPPORT = str(Path(sys.executable).parent / "rapport")


class Stack:
    """A running platform of its own folder and ports."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir()
        self.env = os.environ | {
            "RAPPORT_HOME": str(self.home.path),
            "RAPPORT_PORT_BASE": str(random.randrange(7_200, 9_800, 200)),  # below what others pick
            "RAPPORT_FAILPOINTS": str(self.failpoints),
            "RAPPORT_SEND_ANSWER_TIMEOUT_S": "3",
            "RAPPORT_SEND_PREPARE_TIMEOUT_S": "10",
            "OTEL_TRACES_SAMPLER": "always_on",
        }

    def run(self, *arguments: str, timeout_s: float = 180) -> subprocess.CompletedProcess[str]:
        """Run the `rapport` command against this platform."""
        return subprocess.run(
            [RAPPORT, *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *arguments: str, timeout_s: float = 180) -> Any:
        """Run the command with --json and return what it wrote."""
        done = self.run(*arguments, "--json", timeout_s=timeout_s)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def arm(self, service: str, point: str) -> Path:
        """Make the service die the next time it comes by the point; the file is gone once it did."""
        armed = self.failpoints / f"{service}.{point}"
        armed.touch()
        return armed
