"""A service as a process of its own: what it exits with, what it says, what it answers over HTTP."""

import json
import os
import runpy
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.events.provision import provision
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer
from rapport_testing.wait import eventually

SAMPLE = Path(__file__).parent / "sample.py"
MIGRATIONS = Path(__file__).parent.parent / "migrations"
EXIT_TIMEOUT_S = 40


class ServiceProcess:
    """A running `python sample.py`."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self.grpc_port = int(settings["RAPPORT_GRPC_PORT"])
        self.http_port = int(settings["RAPPORT_HTTP_PORT"])
        self._log = folder / "log"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAPPORT_", "OTEL_"))}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SAMPLE)],
                env=inherited | settings | {"SAMPLE_FOLDER": str(folder)},
                stdout=log,
                stderr=log,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET; (0, "") while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def said(self) -> str:
        """Everything it wrote so far."""
        return self._log.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Its log lines of one kind."""
        lines = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    async def until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return self.get("/health/ready")[0] == 200

        await eventually(ready, 60)

    async def exit_code(self) -> int:
        """Wait for its end."""

        def ended() -> bool:
            return self.process.poll() is not None

        await eventually(ended, EXIT_TIMEOUT_S)
        return int(self.process.returncode)


Run = Callable[..., Awaitable[ServiceProcess]]


@pytest.fixture
async def run(infrastructure: Infrastructure, issuer: TestIssuer, tmp_path: Path) -> AsyncIterator[Run]:
    """Starts the sample service: `await run(provisioned=False, RAPPORT_POOL_SIZE="8")`; None leaves one out.

    `run.url` is its database.
    """
    started: list[ServiceProcess] = []
    url = await infrastructure.fresh_database("sample", MIGRATIONS)

    async def begin(provisioned: bool = True, **settings: str | None) -> ServiceProcess:
        if provisioned:
            await provision(infrastructure.nats_url, runpy.run_path(str(SAMPLE))["service"].declaration())
        given = {
            "RAPPORT_DATABASE_URL": url,
            "RAPPORT_NATS_URL": infrastructure.nats_url,
            "RAPPORT_JWKS_URL": issuer.jwks_url,
            "RAPPORT_ISSUER": ISSUER,
            "RAPPORT_HOST": "127.0.0.1",
            "RAPPORT_GRPC_PORT": str(free_port()),
            "RAPPORT_HTTP_PORT": str(free_port()),
        }
        process = ServiceProcess(
            tmp_path, {name: value for name, value in (given | settings).items() if value is not None}
        )
        started.append(process)
        return process

    begin.url = url  # type: ignore[attr-defined]
    yield begin
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
    infrastructure.leave_database(url)
    await infrastructure.drop_streams()
