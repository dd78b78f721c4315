"""What a running service tells Kubernetes, Prometheus and people over HTTP."""

import asyncio
import contextlib
import json
import re
import runpy
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import nats
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis import health, lifecycle
from chassis.outbox import heartbeat
from rapport.loyalty.v1.ledger_service_pb2 import BatchGetAccountsRequest
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually

SAMPLE = Path(__file__).parent / "sample.py"


@pytest.fixture(scope="module")
def infrastructure(tmp_path_factory):
    """A pair of servers of these tests' own, to be stopped and started."""
    servers = Infrastructure(tmp_path_factory.mktemp("own"))
    servers.start()
    yield servers
    servers.stop()


@pytest.fixture
async def running(start, monkeypatch, tmp_path):
    """The sample service in this process, checking its dependencies often."""
    monkeypatch.setenv("SAMPLE_FOLDER", str(tmp_path))
    monkeypatch.setattr(lifecycle, "CHECK_EVERY_S", 0.1)
    (tmp_path / "answer").touch()
    return await start(runpy.run_path(str(SAMPLE))["service"])


async def get(running: Any, path: str) -> tuple[int, str]:
    def read() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.lifecycle.http_port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(read)


async def test_a_service_without_its_database_is_unready_and_alive(running, infrastructure, monkeypatch):
    assert (await get(running, "/health/ready"))[0] == 200
    await asyncio.to_thread(infrastructure.postgres.stop)
    try:

        async def unready() -> bool:
            status, body = await get(running, "/health/ready")
            return status == 503 and "the database does not answer" in body

        await eventually(unready, 30)
        assert (await get(running, "/health/live"))[0] == 200
        # For far longer than a process that can do nothing about it might bear.
        asked = counted(monkeypatch, running.db, "problem")
        await eventually(lambda: asked() > 3 * lifecycle.MISSES_UNTIL_EXIT, 60)
        assert not running.lifecycle.failed.is_set()
    finally:
        infrastructure.postgres.start()

    async def ready() -> bool:
        return (await get(running, "/health/ready"))[0] == 200

    await eventually(ready, 30)
    assert not running.lifecycle.failed.is_set()


@dataclass
class MembershipCreated:
    """A fact of the loyalty service."""

    membership: str


@pytest.mark.parametrize("fault", ["stop", "freeze"])
async def test_a_service_without_its_broker_serves_warns_and_tells_how_long_facts_wait(
    running, infrastructure, acting, clock, monkeypatch, fault
):
    monkeypatch.setattr(heartbeat, "BEAT_EVERY_S", 0.1)
    monkeypatch.setattr(lifecycle, "MISSES_UNTIL_EXIT", 1_000_000)  # looks every tenth of a second
    broker = infrastructure.nats
    await asyncio.to_thread(broker.stop if fault == "stop" else lambda: broker.process.send_signal(SIGSTOP))
    try:
        with acting():
            async with running.db.transaction() as tx:
                tx.record(MembershipCreated("programs/main/memberships/1"), version=1)

        async def warned() -> bool:
            status, body = await get(running, "/health/ready")
            assert status == 200, body
            return "the broker does not answer" in str(json.loads(body)["warnings"])

        async def told() -> tuple[float, float]:
            _, text = await get(running, "/metrics")
            values = {
                sample.name: sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
            return values["rapport_outbox_unpublished"], values["rapport_outbox_oldest_seconds"]

        await eventually(warned, 30)
        clock.advance(timedelta(minutes=2))

        async def waits() -> bool:
            return await told() == (1, 120)

        await eventually(waits, 30)
    finally:
        if fault == "stop":
            broker.start()
        else:
            broker.process.send_signal(SIGCONT)

    async def well() -> bool:
        _, body = await get(running, "/health/ready")
        return json.loads(body)["warnings"] == []

    await eventually(well, 30)
    assert not running.lifecycle.failed.is_set()


async def test_a_service_whose_stream_is_lost_serves_and_warns(running, infrastructure):
    async with await nats.connect(infrastructure.nats_url) as connection:
        await connection.jetstream().delete_stream("LOYALTY")

    async def warned() -> bool:
        status, body = await get(running, "/health/ready")
        return status == 200 and "no stream LOYALTY" in str(json.loads(body)["warnings"])

    await eventually(warned)


def counted(monkeypatch: pytest.MonkeyPatch, thing: Any, method: str) -> Callable[[], int]:
    """How often a method has answered from now on."""
    original, count = getattr(thing, method), [0]

    async def count_one() -> Any:
        answer = await original()
        count[0] += 1
        return answer

    monkeypatch.setattr(thing, method, count_one)
    return lambda: count[0]


async def test_a_broker_that_never_answers_on_a_connection_that_seems_up_ends_the_process(
    running, monkeypatch
):
    async def silent() -> str:
        return "the broker does not answer"

    connection = running.lifecycle._nats
    monkeypatch.setattr(connection, "problem", silent)
    monkeypatch.setattr(connection, "is_reconnecting", lambda: True)
    asked = counted(monkeypatch, running.db, "problem")
    await eventually(lambda: asked() > 2 * lifecycle.MISSES_UNTIL_EXIT, 60)
    assert not running.lifecycle.failed.is_set()  # the client knows, and works at it
    monkeypatch.setattr(connection, "is_reconnecting", lambda: False)
    await eventually(running.lifecycle.failed.is_set, 60)


async def test_a_service_that_drains_is_never_ready_again(start, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMPLE_FOLDER", str(tmp_path))
    monkeypatch.setattr(lifecycle, "CHECK_EVERY_S", 0.02)
    (tmp_path / "answer").touch()
    running = await start(runpy.run_path(str(SAMPLE))["service"], drain_wait_s=1)
    asked = counted(monkeypatch, running.db, "problem")
    stopping = asyncio.create_task(running.stop())
    await eventually(lambda: running.lifecycle.problems == ["draining"])
    checks = asked()
    await eventually(lambda: asked() > checks + 5)
    assert not stopping.done()
    assert running.lifecycle.problems == ["draining"]
    await stopping


async def test_the_build_is_named(running):
    status, body = await get(running, "/info")
    assert status == 200
    assert version("rapport-loyalty") in body
    assert version("rapport-chassis") in body
    assert version("rapport-contracts") in body


async def test_metrics_are_what_prometheus_can_read_and_cover_calls_and_outbox(running):
    request = BatchGetAccountsRequest(parent="programs/main", names=["programs/main/accounts/points"])
    await running.stub(LedgerServiceStub).BatchGetAccounts(request)
    _, text = await get(running, "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    calls = [
        sample.labels
        for sample in families["rpc_server_duration_seconds"].samples
        if sample.name.endswith("_count")
    ]
    assert {"method": "rapport.loyalty.v1.LedgerService/BatchGetAccounts", "code": "OK"} in calls
    assert {"rapport_outbox_unpublished", "rapport_outbox_oldest_seconds"} <= set(families)
    pool = {
        sample.labels["state"]: sample.value for sample in families["rapport_db_pool_connections"].samples
    }
    assert 0 < sum(pool.values()) <= families["rapport_db_pool_size"].samples[0].value
    for family in families.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert family.documentation, f"{family.name} has no HELP"
        assert family.type != "unknown", f"{family.name} has no TYPE"
        named = ("rapport_", "rpc_", "http_", "process_", "python_")
        assert family.name.startswith(named), f"{family.name} is not named as docs/metrics.md has it"
        assert len({tuple(sorted(s.labels)) for s in family.samples if s.name == family.name}) <= 1
    assert text.count("# HELP") == len(families) == text.count("# TYPE")


async def test_metrics_pass_promtool(running):
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("no promtool: install Debian's package `prometheus`")
    _, text = await get(running, "/metrics")
    lint = await asyncio.to_thread(
        subprocess.run,
        [promtool, "check", "metrics"],
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert (lint.returncode, lint.stdout.decode()) == (0, "")


async def connect(running: Any, sent: bytes = b"") -> asyncio.StreamReader:
    """A connection that has sent so much and says no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.lifecycle.http_port)
    writer.write(sent)
    reader.writer = writer  # type: ignore[attr-defined]  # or it is closed with the writer
    return reader


@pytest.fixture
def hasty(monkeypatch):
    """A connection has a fifth of a second to ask; to be in force, before the service starts."""
    monkeypatch.setattr(health, "CONNECTION_S", 0.2)


@pytest.fixture
def narrow(monkeypatch):
    """Eight connections at once; to be in force, before the service starts."""
    monkeypatch.setattr(health, "CONNECTIONS_MAX", 8)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-", b"POST /info HTTP/1.1\r\n"]
)
@pytest.mark.usefixtures("hasty")
async def test_a_connection_that_never_asks_is_closed(running, sent):
    reader = await connect(running, sent)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 20) == b""


@pytest.mark.usefixtures("narrow")
async def test_connections_that_never_ask_keep_no_probe_out(running):
    held = [await connect(running, b"GET ") for _ in range(20)]
    assert (await get(running, "/health/live"))[0] == 200
    closed = 0
    for reader in held[:12]:
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        closed += 1
    assert closed == 12
    assert not held[-1].at_eof()
