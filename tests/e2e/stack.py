"""The whole platform as separate processes, as `make run` starts it, with failpoints armed by files."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from rapport_testing.engines.ports import browsers_open, is_free
from rapport_testing.wait import eventually
from rapport_tools.local.home import Home

START_TIMEOUT_S = 600  # it ends by itself when it gets on no more, however slow the machine is
RAPPORT = str(Path(sys.executable).parent / "rapport")


class Stack:
    """A platform of its own folder and ports, of any installation; `environ` is told to it besides."""

    def __init__(self, folder: Path, rapport: str = RAPPORT, **environ: str) -> None:
        self._rapport = rapport
        self.home = Home(folder / "home")
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir()
        self.env = os.environ | {
            "RAPPORT_HOME": str(self.home.path),
            "RAPPORT_PORT_BASE": str(_free_base()),
            "RAPPORT_FAILPOINTS": str(self.failpoints),
            "RAPPORT_SEND_ANSWER_TIMEOUT_S": "3",
            "RAPPORT_SEND_PREPARE_TIMEOUT_S": "5",
            "RAPPORT_RETRY_FIRST_S": "1",
            "OTEL_TRACES_SAMPLER": "always_on",
            **environ,
        }

    @contextmanager
    def up(self, *, ends_at_once: bool = False) -> Iterator[None]:
        """Start it, have sessions find it, and stop it at the end, in order or at once."""
        said = self.failpoints.parent / "up.log"
        with said.open("w") as log:
            process = subprocess.Popen([self._rapport, "up"], env=self.env, stdout=log, stderr=log)
            try:

                def is_up() -> bool:
                    if process.poll() is not None:
                        raise RuntimeError(said.read_text())
                    return self.home.is_furnished()

                asyncio.run(eventually(is_up, START_TIMEOUT_S))
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("RAPPORT_HOME", str(self.home.path))
                    yield
            finally:
                own = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
                process.send_signal(signal.SIGKILL if ends_at_once else signal.SIGTERM)
                try:
                    process.wait(180)
                finally:
                    process.kill()  # and with it all of its own
                    asyncio.run(eventually(lambda: not any(map(_runs, own)), START_TIMEOUT_S))

    def unit(self, name: str) -> dict[str, Any]:
        """What `rapport status` says about a part of it."""
        return next(found for found in self.home.read_status()["units"] if found["name"] == name)

    def run(self, *arguments: str, timeout_s: float = 180) -> subprocess.CompletedProcess[str]:
        """Run the `rapport` command against this platform."""
        return subprocess.run(
            [self._rapport, *arguments],
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


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _free_base() -> int:
    """Where no other stack is: below what others pick, and away from whoever runs or starts beside us."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    bases = list(filter(browsers_open, range(7_200 + worker % 2 * 200, 9_800, 400)))
    random.shuffle(bases)
    ports = [*range(1, 20), *range(101, 120), 1080]
    return next(base for base in bases if all(is_free(base + port) for port in ports))
