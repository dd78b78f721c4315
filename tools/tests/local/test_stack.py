"""Whole stacks, with a service that does nothing, as processes of their own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from textwrap import dedent

import asyncpg
import psutil
import pytest

from chassis.events.declarations import Declaration
from rapport_testing.engines.ports import is_free
from rapport_testing.engines.process import StackError
from rapport_testing.wait import eventually
from rapport_tools.local import stack as stacks
from rapport_tools.local.home import Home
from rapport_tools.local.installed import Installed

# Ports are below those that other tests are given at random.
# A package `tiny`: a service without methods, and `python -m tiny.up`, which is `rapport up` with it alone.
FILES = {
    "__init__.py": "",
    "service.py": """
        from pathlib import Path
        from chassis.service import Service
        from chassis.settings import ServiceSettings
        from rapport.loyalty.v1 import loyalty_events_pb2
        service = Service("tiny", port=7000, web_port=8080, settings=ServiceSettings,
                          events=loyalty_events_pb2, migrations=Path(__file__).parent / "migrations",
                          compose=lambda app: None)
    """,
    "__main__.py": """
        from chassis.service import main
        from tiny.service import service
        main(service)
    """,
    "up.py": """
        import sys
        from rapport_tools.cli import main
        from rapport_tools.local import stack
        from rapport_tools.local.installed import Installed
        from tiny.service import service
        stack.installed = lambda: [Installed.of(service)]
        sys.argv = ["rapport", "up"]
        main.main()
    """,
}


class Up:
    """One `rapport up` on a home of its own."""

    def __init__(self, home: Path, port_base: int, package: Path) -> None:
        self.home = Home(home)
        self.output = home.with_suffix(".out")
        self.environ: Mapping[str, str] = {
            **os.environ,
            "RAPPORT_HOME": str(home),
            "PGSSLMODE": "require",  # of somebody who works with another server
            "PGHOST": "nowhere.invalid",
            "PGPORT": "9",
            "RAPPORT_PORT_BASE": str(port_base),
            "PYTHONPATH": str(package.parent),
        }

    def start(self) -> None:
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "tiny.up"]
            self.process = subprocess.Popen(command, env=self.environ, stdout=output, stderr=output)

    async def ready(self) -> None:
        def is_up() -> bool:
            assert self.process.poll() is None, self.output.read_text()
            return "Rapport is up" in self.output.read_text()

        await eventually(is_up, timeout_s=120)

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        await eventually(lambda: self.process.poll() is not None, timeout_s=60)
        return self.process.wait()

    def units(self) -> dict[str, int]:
        """The process id of each unit."""
        return {unit["name"]: unit["pid"] for unit in self.home.read_status()["units"]}

    def states(self) -> dict[str, str]:
        return {unit["name"]: unit["state"] for unit in self.home.read_status()["units"]}

    def rapport(self, *args: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "rapport_tools.cli.main", *args]
        return subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages") / "tiny"
    (folder / "migrations" / "versions").mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_text(dedent(content))
    return folder


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, package: Path) -> AsyncIterator[Up]:
    """One stack for all tests of this file; each leaves it running."""
    up = Up(tmp_path_factory.mktemp("stack") / "first", 6_100, package)
    up.start()
    await up.ready()
    yield up
    assert await up.end(signal.SIGTERM) == 0


def states(listed: str) -> dict[str, str]:
    """What `rapport status --json` says of each unit."""
    return {unit["name"]: unit["state"] for unit in json.loads(listed)}


def gone(pids: Iterable[int]) -> bool:
    alive = (psutil.Process(pid).status() for pid in pids if psutil.pid_exists(pid))
    return all(status == psutil.STATUS_ZOMBIE for status in alive)


async def test_a_second_start_on_the_same_home_is_refused_and_says_what_to_do(stack: Up) -> None:
    again = await asyncio.to_thread(stack.rapport, "up")
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert "rapport down" in again.stderr


async def test_where_pages_are_is_said_first_of_all(stack: Up) -> None:
    _, _, addresses = stack.output.read_text().partition("Rapport is up")
    assert addresses.splitlines()[2].split() == ["tiny", "http://127.0.0.1:7180"]
    told = await asyncio.to_thread(stack.rapport, "status")
    assert told.stdout.startswith("tiny: http://127.0.0.1:7180\n")
    assert stack.home.read_env()["RAPPORT_TINY_URL"] == "http://127.0.0.1:7180"


async def test_the_data_of_a_running_stack_is_not_removed(stack: Up) -> None:
    refused = await asyncio.to_thread(stack.rapport, "clean")
    assert (refused.returncode, "stop it first, with `rapport down`" in refused.stderr) == (1, True)
    assert stack.home.is_up() or stack.home.supervisor() is not None


async def test_a_service_that_is_killed_comes_back(stack: Up) -> None:
    killed = stack.units()["tiny"]
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: stack.units()["tiny"] != killed, timeout_s=60)
    await eventually(lambda: stack.states()["tiny"] == "ready", timeout_s=60)
    listed = json.loads((await asyncio.to_thread(stack.rapport, "status", "--json")).stdout)
    assert {unit["name"]: unit["restarts"] for unit in listed}["tiny"] >= 1
    assert "tiny was killed by SIGKILL" in stack.output.read_text()


@pytest.mark.parametrize("unit", ["tiny", "NATS"])
async def test_what_is_frozen_is_not_called_ready(stack: Up, unit: str) -> None:
    pid = stack.units()[unit]
    os.kill(pid, signal.SIGSTOP)
    try:
        told = await asyncio.to_thread(stack.rapport, "status", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert states(told.stdout)[unit] == "frozen"

    async def ready() -> bool:
        told = await asyncio.to_thread(stack.rapport, "status", "--json")
        return set(states(told.stdout).values()) == {"ready"}

    await eventually(ready, timeout_s=60)


async def test_two_stacks_run_side_by_side_one_with_two_replicas_and_ctrl_c_ends_it_wholly(
    stack: Up, tmp_path: Path, package: Path
) -> None:
    other = Up(tmp_path / "zweite Küche", 6_400, package)
    # What the user has set for other programs does not reach what is embedded.
    other.environ = {
        **other.environ,
        "http_proxy": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "RAPPORT_LOCAL_REPLICAS": "2",
        "RAPPORT_CURRENCY": "EUR",
    }
    other.start()
    await other.ready()
    units = other.units()
    assert list(units) == ["PostgreSQL", "NATS", "provider", "mail", "traces", "tiny", "tiny-2"]
    peers = json.loads(other.home.read_env()["RAPPORT_PEERS"])
    assert peers == {"tiny": "ipv4:127.0.0.1:6400,127.0.0.1:6410"}

    def is_heard() -> bool:
        with (other.home.logs / "tiny-2.log").open("a") as log:
            log.write('{"level": "warning", "event": "the second is heard too"}\n')
        return "the second is heard too" in other.output.read_text()

    await eventually(is_heard)
    assert await other.end(signal.SIGINT) == 0
    assert gone(units.values())
    assert "Ctrl-C again" in other.output.read_text()
    chosen = ("RAPPORT_CURRENCY", "RAPPORT_PORT_BASE")
    other.environ = {name: value for name, value in other.environ.items() if name not in chosen}
    other.start()  # goes on with what was chosen
    await other.ready()
    assert [other.home.read_env()[name] for name in chosen] == ["EUR", "6400"]
    assert await other.end(signal.SIGTERM) == 0
    assert "Ctrl-C again" not in other.output.read_text()
    assert set(stack.states().values()) == {"ready"}


async def test_nothing_outlives_a_killed_supervisor_and_the_next_start_has_the_data(stack: Up) -> None:
    connection = await asyncpg.connect(stack.home.read_env()["RAPPORT_TINY_DATABASE_URL"])
    await connection.execute("INSERT INTO idempotency VALUES (gen_random_uuid(), 'kept', '', '', '', now())")
    await connection.close()
    units = stack.units()
    await stack.end(signal.SIGKILL)
    await eventually(lambda: gone(units.values()))
    stack.start()
    await stack.ready()
    assert "migrating" not in stack.output.read_text()  # nothing changed since the first start
    connection = await asyncpg.connect(stack.home.read_env()["RAPPORT_TINY_DATABASE_URL"])
    assert await connection.fetchval("SELECT method FROM idempotency") == "kept"
    await connection.close()


@pytest.mark.parametrize("port", [6_700, 7_780])
async def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path, package: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        blocked = Up(tmp_path / "third", 6_700, package)
        blocked.start()
        await eventually(lambda: blocked.process.poll() is not None, timeout_s=60)
    assert blocked.process.wait() == 1
    told = blocked.output.read_text()
    assert (
        f"Port {port}, which tiny needs, is taken by {psutil.Process().name()} (process {os.getpid()}" in told
    )
    base = int(told.partition("RAPPORT_PORT_BASE=")[2].split()[0])
    assert base != 6_700
    assert is_free(base)
    assert "PostgreSQL" not in told  # nothing was started for it


@pytest.mark.parametrize(("port", "web_port", "replicas", "shared"), [
    (7002, 0, "1", 6702),
    (7902, 7002, "1", 6702),
    (7102, 0, "1", 6802),
    (7012, 0, "2", 6712),
])  # fmt: skip
async def test_two_services_with_one_port_are_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, web_port: int, replicas: str, shared: int
) -> None:
    made = [
        Installed(name, number, (), Declaration(name, ()), tmp_path, web)
        for name, number, web in (("cases", 7002, 0), ("twin", port, web_port))
    ]
    monkeypatch.setattr(stacks, "installed", lambda: made)
    home = Home(tmp_path / "home")
    home.create()
    told: list[str] = []
    environ = {"RAPPORT_PORT_BASE": "6700", "RAPPORT_LOCAL_REPLICAS": replicas}
    with pytest.raises(StackError, match=f"Port {shared} is needed by cases and by twin"):
        await stacks.Stack(home, environ, told.append, told.append, None).start()
    assert told == []


async def test_tokens_that_cannot_be_renewed_now_are_renewed_later_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "LOOK_AT_TOKENS_EVERY_S", 0.01)
    monkeypatch.setattr(stacks, "RENEW_SERVICES_EVERY_S", 0)
    home, told = Home(tmp_path / "home"), list[str]()
    home.create()
    stack = stacks.Stack(
        home, {"RAPPORT_PORT_BASE": "6700"}, told.append, lambda *said: told.extend(said), None
    )
    stack.services = [Installed("cases", 7002, (), Declaration("cases", ()), tmp_path)]
    home.tokens.rmdir()  # as on a disk on which nothing can be written
    renewing = asyncio.create_task(stack._renew_tokens())
    await eventually(lambda: "tokens" in told)
    home.tokens.mkdir()
    await eventually((home.tokens / "cases").exists)
    renewing.cancel()
