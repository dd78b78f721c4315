"""Parts are killed, frozen and cut off under load, two at once: nothing acknowledged is lost or done twice.

Each once of each; `RAPPORT_FAULTS` draws so many, as `RAPPORT_SEED` says. The seed is printed.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
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
FAULTS = int(os.environ.get("RAPPORT_FAULTS", "0"))
AT_ONCE = 2
SETTLE_S = 120.0  # a hand-over whose outcome is unknown is repeated when its lease is over

CAN_CUT = os.geteuid() == 0 and shutil.which("iptables") is not None

Fault = tuple[Callable[[str], Awaitable[None]], str]


class Storm:
    """What happens to the parts of a stack, by a seed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.seed = int(os.environ.get("RAPPORT_SEED", random.randrange(2**32)))
        self.chance = random.Random(self.seed)

    def faults(self) -> list[Fault]:
        """What happens, in this order."""
        happen = [self.kill, self.freeze, *([self.cut] if CAN_CUT else [])]
        every = [(each, name) for name in self.parts() for each in happen]
        every.append((self.lose_store, "NATS"))
        if FAULTS:
            return self.chance.choices(every, k=FAULTS)
        return self.chance.sample(every, len(every))

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
        await self._a_while()
        for each in frozen:
            with suppress(psutil.NoSuchProcess):
                each.resume()

    async def cut(self, name: str) -> None:
        """The network takes what is meant for it, and brings it nowhere."""
        listening = psutil.Process(self._stack.unit(name)["pid"]).net_connections("tcp")
        ports = {str(each.laddr.port) for each in listening if each.status == psutil.CONN_LISTEN}
        dropped = f"INPUT -i lo -p tcp -m multiport --dports {','.join(ports)} -j DROP".split()
        subprocess.run(["iptables", "-w", "-I", *dropped], check=True)
        try:
            await self._a_while()
        finally:
            subprocess.run(["iptables", "-w", "-D", *dropped], check=True)

    async def _a_while(self) -> None:
        await asyncio.sleep(self.chance.uniform(*FROZEN_S))

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
    print(
        f"RAPPORT_SEED={storm.seed}"
        + ("" if CAN_CUT else "; nothing is cut off: that needs root and iptables")
    )
    faults, began = storm.faults(), time.monotonic()
    under_way: set[asyncio.Task[None]] = set()
    for happen, name in faults:
        while len(under_way) >= AT_ONCE:
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*done)
        await storm.up(name)
        await asyncio.sleep(storm.chance.uniform(*BETWEEN_S))
        print(f"{time.monotonic() - began:6.1f} s  {happen.__name__} {name}", flush=True)
        under_way.add(asyncio.create_task(happen(name)))
    await asyncio.gather(*under_way)
    over.set()
    await asyncio.gather(*workers)
    await eventually(settled, SETTLE_S)

    lost, twice = await lost_and_twice(desk.acknowledged)
    count = sum(map(len, desk.acknowledged.values()))
    print(f"{len(faults)} faults; {count} acts acknowledged, {len(lost)} lost, {len(twice)} twice")
    print(f"before: {quantiles(before)}\nduring: {quantiles(desk.took_s)}")
    assert (lost, twice) == ([], [])
    assert await mail_amiss() == []
    assert await ledger_proof(Session.open()) == (0, 0)

    async def views_are_right() -> bool:
        assert await views_amiss(desk) == []
        return True

    await eventually(views_are_right, SETTLE_S)
    await asyncio.to_thread(lambda: assert_told_once(run_story()))
