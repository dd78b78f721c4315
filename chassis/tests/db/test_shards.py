"""The shards of a relay that stands still, or that the network has cut off, are taken over."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from chassis.db import session
from chassis.outbox.relay import Shards
from rapport_testing.wait import eventually

REAL = bool(os.environ.get("RAPPORT_EVERY_MOMENT"))  # wait as long as it takes in production
HOLDER = """
import asyncio, sys
from chassis.clock import Clock
from chassis.db import session
from chassis.db.database import Database
from chassis.events.facts import FactCodec
from chassis.outbox.relay import Shards
from rapport.cases.v1 import cases_events_pb2

async def hold(url, idle):
    session.VANISHED["idle_session_timeout"] = (idle, 0)
    connection = await Database(url, "cases", FactCodec(cases_events_pb2), Clock()).dedicated()
    shards = Shards(connection)
    await shards.join()
    while True:
        await shards.balance()
        print(len(shards.held), flush=True)
        await asyncio.sleep(0.2)

asyncio.run(hold(*sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """How long a session that holds shards may say nothing."""
    seconds = "20s" if REAL else "2s"
    monkeypatch.setitem(session.VANISHED, "idle_session_timeout", (seconds, 0))
    return seconds


async def take_over(db):
    """Balance as a relay does, until everything is ours."""
    connection = await db.dedicated()
    shards = Shards(connection)
    await shards.join()

    async def all_of_them():
        await shards.balance()
        return len(shards.held) == 16

    try:
        assert not await all_of_them()
        await eventually(all_of_them, 40)
    finally:
        await connection.close()


async def test_the_shards_of_a_process_that_stands_still_are_taken_over(direct, idle):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, direct._url, idle], stdout=subprocess.PIPE, text=True
    )
    try:
        assert await asyncio.to_thread(holder.stdout.readline) == "16\n"
        holder.send_signal(signal.SIGSTOP)
        await take_over(direct)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


async def test_the_shards_of_a_node_that_is_cut_off_are_taken_over(direct, proxied):
    db, proxy = proxied
    connection = await db.dedicated()
    shards = Shards(connection)
    await shards.join()
    await shards.balance()
    assert len(shards.held) == 16
    proxy.passes.clear()
    await take_over(direct)
    connection.terminate()


async def test_a_session_that_works_now_and_then_keeps_its_shards(direct):
    connection = await direct.dedicated()
    shards = Shards(connection)
    await shards.join()
    for _ in range(6):
        await shards.balance()
        await asyncio.sleep(0.5)
    assert len(shards.held) == 16
    await connection.close()


async def test_the_server_gives_up_on_silent_peers_soon(direct):
    connection = await direct.dedicated()
    settings = {name: await connection.fetchval(f"SHOW {name}") for name in session.VANISHED}
    assert settings["tcp_user_timeout"] == "20000"
    assert (settings["tcp_keepalives_idle"], settings["tcp_keepalives_interval"]) == ("10", "5")
    await connection.close()
