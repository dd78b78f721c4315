"""Real servers and service processes for a benchmark: durable commits, ten per cent of traces sampled.

Where the machine has two cores, what is measured has the first for itself; the load, PostgreSQL and NATS
share the second.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc

from chassis.events.provision import provision
from chassis.service import Service
from rapport_testing.engines.ports import free_port, is_listening
from rapport_testing.fixtures import NOBODY
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import ISSUER, TestIssuer
from rapport_testing.wait import eventually

ECHO = [sys.executable, "-m", "tests.bench.echo"]
EMPTY = [sys.executable, "-m", "tests.bench.empty"]
PINNED = hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1
_CORES = sorted(os.sched_getaffinity(0))[:2] if PINNED else []
_ANSWERED = {"OK", "CANCELLED"}  # the load ends by hanging up
_COUNT = re.compile(r'rpc_server_duration_seconds_count\{code="(\w+)",method="([^"]+)"\} (\d+)')


def pin(process: int, core: int) -> None:
    """Keep a process (0 is this one) on the first core (0) or the second (1), if there are two."""
    if PINNED:
        os.sched_setaffinity(process, {_CORES[core]})


def stalled_s() -> float:
    """Seconds in which somebody waited for a core, since some moment. 0 where the system does not tell."""
    try:
        told = Path("/proc/pressure/cpu").read_text()
    except OSError:
        return 0.0
    return int(told.partition("total=")[2].split()[0]) / 1e6


@contextmanager
def measured_here() -> Iterator[None]:
    """Let this process have the measured core for the time of the block."""
    pin(0, 0)
    try:
        yield
    finally:
        pin(0, 1)


@dataclass(frozen=True)
class Started:
    """A server process: its gRPC address, and if it is a service, where its metrics are and its database."""

    address: str
    process_id: int
    http_port: int = 0
    database_url: str = ""

    def cpu_s(self) -> float:
        """The processor time it has used, in seconds, of all its threads; 0 once it has ended."""
        return sum(ran for ran, _ in self._threads()) / 1e9

    def busy_s(self) -> float:
        """Seconds in which it ran, or could not because others had its core."""
        return self.cpu_s() + max((waited for _, waited in self._threads()), default=0) / 1e9

    def _threads(self) -> list[tuple[int, int]]:
        found = []
        for thread in Path(f"/proc/{self.process_id}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                ran, waited, _ = map(int, thread.read_text().split())
                found.append((ran, waited))
        return found

    def require_answers(self, method: str) -> None:
        """RuntimeError when a call of the method was refused: the load client does not see gRPC's status."""
        if not self.http_port:
            return
        with urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=5) as answer:
            found = _COUNT.findall(answer.read().decode())
        refused = {code for code, name, _ in found if f"/{name}" == method} - _ANSWERED
        if refused:
            raise RuntimeError(f"{method} answered {', '.join(sorted(refused))} under load")


class Platform:
    """What the benchmarks run against: our sources, or those of another checkout."""

    def __init__(self, folder: Path, checkout: Path | None = None) -> None:
        self.against: Platform | None = None  # the same with other sources, to compare with
        self._checkout = checkout
        folder.mkdir(exist_ok=True)
        self.infrastructure = Infrastructure(folder, options={})
        self.issuer = TestIssuer(folder)
        self.token = self.issuer.token(lifetime_s=3600)
        self.collector = ""  # takes spans and throws them away
        self.echo = Started("", 0)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._kept = 0  # how many of them outlive a measurement
        self._channels: list[grpc.aio.Channel] = []
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """Start the servers, and the two processes that every measurement uses."""
        await asyncio.to_thread(self.infrastructure.start)
        self.collector = (await self.process(ECHO, core=1)).address
        self.echo = await self.process(ECHO)
        self._kept = len(self._processes)

    async def service(
        self,
        service: Service[Any],
        *variations: str,
        core: int = 0,
        peers: Mapping[str, str] | None = None,
        **told: str,
    ) -> Started:
        """A service, as it is or with `variations` (see variant.py), on a fresh database."""
        async with self._making:  # PostgreSQL makes no two at once
            url = await self.infrastructure.fresh_database(service.name, service.migrations)
        await provision(self.infrastructure.nats_url, service.declaration())
        command = [sys.executable, "-m", "tests.bench.variant", service.name, *variations]
        environment = self.environment(service.name, url) | told
        if peers is not None:
            environment["RAPPORT_PEERS"] = json.dumps(dict(peers))
        return await self.process(command, environment, url, core)

    def stub(self, stub: Any, address: str) -> Any:
        """A client."""
        channel = grpc.aio.insecure_channel(address)
        self._channels.append(channel)
        return stub(channel)

    @property
    def identity(self) -> list[tuple[str, str]]:
        """The metadata of a call."""
        return [("authorization", f"Bearer {self.token}")]

    def environment(self, service: str, database_url: str = "postgresql://none/none") -> dict[str, str]:
        """The environment of a service process."""
        return {
            "RAPPORT_SERVICE": service,
            "RAPPORT_DATABASE_URL": database_url,
            "RAPPORT_NATS_URL": self.infrastructure.nats_url,
            "RAPPORT_JWKS_URL": self.issuer.jwks_url,
            "RAPPORT_ISSUER": ISSUER,
            "RAPPORT_HOST": "127.0.0.1",
            "RAPPORT_PEERS": json.dumps(
                dict.fromkeys(("customer", "cases", "loyalty", "notifications"), NOBODY)
            ),
            "RAPPORT_SMTP_HOST": "127.0.0.1",
            "RAPPORT_LOG_LEVEL": "error",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.collector}",
        }

    async def process(
        self,
        command: list[str],
        environment: Mapping[str, str] | None = None,
        database_url: str = "",
        core: int = 0,
    ) -> Started:
        """Start a server on free ports and wait until it is ready."""
        grpc_port, http_port = free_port(), free_port()
        ports = {"RAPPORT_GRPC_PORT": str(grpc_port), "RAPPORT_HTTP_PORT": str(http_port)}
        ours = {**os.environ, **(environment or {}), **ports}
        if self._checkout is not None:
            ours["PYTHONPATH"] = os.pathsep.join(map(str, sources(self._checkout)))
        process = subprocess.Popen(command, env=ours, cwd=self._checkout)
        self._processes.append(process)
        pin(process.pid, core)

        def ready() -> bool:
            assert process.poll() is None, f"{' '.join(command)} ended with {process.returncode}"
            return _answers(http_port) if database_url else is_listening(grpc_port)

        await eventually(ready, 180)
        return Started(f"127.0.0.1:{grpc_port}", process.pid, http_port if database_url else 0, database_url)

    async def clear(self) -> None:
        """End what a measurement started: two processes of one service would share its events."""
        if self.against is not None:
            await self.against.clear()
        await asyncio.gather(*(channel.close(None) for channel in self._channels))
        self._channels.clear()
        self._end(self._kept)
        await self.infrastructure.drop_streams()

    async def close(self) -> None:
        """Stop every process."""
        self._end(0)
        await asyncio.to_thread(self.infrastructure.stop)

    def _end(self, first: int) -> None:
        ended = self._processes[first:]
        del self._processes[first:]
        for process in ended:
            process.send_signal(signal.SIGTERM)
        for process in ended:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@asynccontextmanager
async def platform(folder: Path, checkout: Path | None = None) -> AsyncIterator[Platform]:
    """Servers for the time of the block."""
    pin(0, 1)
    running = Platform(folder, checkout)
    try:
        await running.open()
        yield running
    finally:
        await running.close()


def sources(checkout: Path) -> list[Path]:
    """Where Python finds the packages of a checkout before those that are installed."""
    return [checkout, *checkout.glob("services/*/src"), *checkout.glob("*/src"), checkout / "proto/gen"]


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1) as answer:
            return bool(json.load(answer)["status"] == "SERVING")
    except OSError:
        return False
