"""Real servers and service processes for a benchmark: durable commits, ten per cent of traces sampled."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from chassis.events.provision import provision
from chassis.local.ports import free_port, is_listening
from chassis.service import Service
from chassis.testing.infrastructure import Infrastructure
from chassis.testing.tokens import TestIssuer
from chassis.testing.wait import eventually

ECHO = [sys.executable, "-m", "tests.bench.echo"]
EMPTY = [sys.executable, "-m", "tests.bench.empty"]


class Platform:
    """What the benchmarks run against."""

    def __init__(self, folder: Path) -> None:
        self.infrastructure = Infrastructure(folder, options={})
        self.issuer = TestIssuer(folder)
        self.token = self.issuer.token()
        self.collector = ""  # takes spans and throws them away
        self._processes: list[subprocess.Popen[bytes]] = []

    async def start(self, service: Service[Any], **settings: str) -> str:
        """Start a service on a fresh database; returns its gRPC address."""
        url = await self.infrastructure.fresh_database(service.name, service.migrations)
        await provision(self.infrastructure.nats_url, service.declaration())
        environment = self.environment(service.name, url) | settings
        return await self.process([sys.executable, "-m", service.name], environment, has_http=True)

    def environment(self, service: str, database_url: str = "postgresql://none/none") -> dict[str, str]:
        """The environment of a service process."""
        return {
            "RAPPORT_SERVICE": service,
            "RAPPORT_DATABASE_URL": database_url,
            "RAPPORT_NATS_URL": self.infrastructure.nats_url,
            "RAPPORT_JWKS_URL": self.issuer.jwks_url,
            "RAPPORT_HOST": "127.0.0.1",
            "RAPPORT_LOG_LEVEL": "error",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.collector}",
        }

    async def process(
        self, command: list[str], environment: Mapping[str, str] | None = None, has_http: bool = False
    ) -> str:
        """Start a server process on a free port, wait until it is ready, and return its gRPC address."""
        grpc_port, http_port = free_port(), free_port()
        ports = {"RAPPORT_GRPC_PORT": str(grpc_port), "RAPPORT_HTTP_PORT": str(http_port)}
        process = subprocess.Popen(command, env={**os.environ, **(environment or {}), **ports})
        self._processes.append(process)

        def ready() -> bool:
            assert process.poll() is None, f"{' '.join(command)} ended with {process.returncode}"
            return _answers(http_port) if has_http else is_listening(grpc_port)

        await eventually(ready, 30)
        return f"127.0.0.1:{grpc_port}"

    def stop(self) -> None:
        """Stop every process."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(30)


@asynccontextmanager
async def platform(folder: Path) -> AsyncIterator[Platform]:
    """Servers for the time of the block."""
    running = Platform(folder)
    await asyncio.to_thread(running.infrastructure.start)
    try:
        running.collector = await running.process(ECHO)
        yield running
    finally:
        running.stop()
        await asyncio.to_thread(running.infrastructure.stop)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1) as answer:
            return bool(json.load(answer)["status"] == "SERVING")
    except OSError:
        return False
