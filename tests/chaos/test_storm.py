"""Every part is killed and frozen once under load: nothing acknowledged is lost or done twice."""

import asyncio
import os
import random
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil
import pytest

from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from tests.chaos.desk import Desk, quantiles
from tests.chaos.truth import lost_and_twice, mail_amiss, settled, views_amiss
from tests.e2e.outcome import assert_told_once, ledger_proof, run_story
from tests.e2e.stack import Stack

pytestmark = pytest.mark.chaos

WORKERS = 5
CALM_S = 10.0
BETWEEN_S = (1.0, 4.0)
FROZEN_S = (3.0, 8.0)
SETTLE_S = 120.0  # a hand-over whose outcome is unknown is repeated when its lease is over


class Storm:
    """What happens to the parts of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def parts(self) -> list[str]:
        """Everything that can happen to something; traces are nobody's ground."""
        return [unit["name"] for unit in self._stack.home.read_status()["units"] if unit["name"] != "traces"]

    async def kill(self, name: str) -> None:
        """As the kernel does when memory is short."""
        os.kill(self._stack.unit(name)["pid"], signal.SIGKILL)

    async def freeze(self, name: str) -> None:
        """It keeps its sockets and locks and does nothing, PostgreSQL's backends included."""
        process = psutil.Process(self._stack.unit(name)["pid"])
        frozen = [process, *process.children(recursive=True)]
        for each in frozen:
            with suppress(psutil.NoSuchProcess):
                each.suspend()
        await asyncio.sleep(random.uniform(*FROZEN_S))
        for each in frozen:
            with suppress(psutil.NoSuchProcess):
                each.resume()

    async def lose_store(self, name: str) -> None:
        """The broker's disk is gone."""
        await self.kill(name)
        shutil.rmtree(self._stack.home.path / "nats" / "jetstream")

    async def up(self, name: str) -> None:
        """Wait until a part is there again."""
        await eventually(lambda: self._stack.unit(name)["state"] == "ready", 60)


async def test_nothing_acknowledged_is_lost_or_done_twice(replicated: Stack, desk: Desk) -> None:
    storm, over = Storm(replicated), asyncio.Event()
    workers = [asyncio.create_task(desk.whole_day(number, over)) for number in range(WORKERS)]
    await asyncio.sleep(CALM_S)
    before, desk.took_s = desk.took_s, []
    happening: list[tuple[Callable[[str], Awaitable[None]], str]] = [(storm.lose_store, "NATS")]
    for name in storm.parts():
        happening += [(storm.kill, name), (storm.freeze, name)]
    random.shuffle(happening)
    began = time.monotonic()
    for happen, name in happening:
        await storm.up(name)
        await asyncio.sleep(random.uniform(*BETWEEN_S))
        print(f"{time.monotonic() - began:6.1f} s  {happen.__name__} {name}", flush=True)
        await happen(name)
    over.set()
    await asyncio.gather(*workers)
    await eventually(settled, SETTLE_S)

    lost, twice = await lost_and_twice(desk.acknowledged)
    count = sum(map(len, desk.acknowledged.values()))
    print(f"{len(happening)} faults; {count} acts acknowledged, {len(lost)} lost, {len(twice)} twice")
    print(f"before: {quantiles(before)}\nduring: {quantiles(desk.took_s)}")
    assert (lost, twice) == ([], [])
    assert await mail_amiss() == []
    assert await ledger_proof(Session.open()) == (0, 0)

    async def views_are_right() -> bool:
        assert await views_amiss(desk) == []
        return True

    await eventually(views_are_right, SETTLE_S)
    await asyncio.to_thread(lambda: assert_told_once(run_story()))
