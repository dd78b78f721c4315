"""Parts are killed, frozen, slowed and cut off, databases fail over or are locked, three at once, under load.

Nothing acknowledged is lost or done twice.

Each once of each; `make chaos FAULTS=1000 SEED=7` draws so many. The seed is printed.
"""

import asyncio
import os
import random
import time
from collections import Counter

import pytest

from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from tests.chaos.desk import Desk, quantiles
from tests.chaos.storm import CAN_CUT, Storm
from tests.chaos.truth import lost_and_twice, mail_amiss, promises_amiss, settled, views_amiss
from tests.e2e.outcome import assert_told_once, ledger_proof, run_story
from tests.e2e.stack import Stack

pytestmark = pytest.mark.chaos

WORKERS = 5
CALM_S = 10.0
BETWEEN_S = (0.2, 1.5)
FAULTS = int(os.environ.get("RAPPORT_FAULTS") or 0)
SEED = int(os.environ.get("RAPPORT_SEED") or random.randrange(2**32))
AT_ONCE = 3
SETTLE_S = 400.0  # what failed again and again is tried after 300 s at most


async def test_nothing_acknowledged_is_lost_or_done_twice(replicated: Stack, desk: Desk) -> None:
    storm, over = Storm(replicated, FAULTS, SEED), asyncio.Event()
    workers = [asyncio.create_task(desk.whole_day(number, over)) for number in range(WORKERS)]
    await asyncio.sleep(CALM_S)
    before, desk.took_s = desk.took_s, []
    print(f"SEED={SEED}" + ("" if CAN_CUT else "; nothing is cut off: that needs root and iptables"))
    played = await play(storm)
    over.set()
    await asyncio.gather(*workers)
    await eventually(settled, SETTLE_S)

    lost, twice = await lost_and_twice(desk.acknowledged)
    count = sum(map(len, desk.acknowledged.values()))
    print(f"{played.total()} faults: {dict(played.most_common())}")
    print(f"{count} acts acknowledged, {len(lost)} lost, {len(twice)} twice")
    print(f"before: {quantiles(before)}\nduring: {quantiles(desk.took_s)}", flush=True)
    assert (lost, twice) == ([], [])
    assert await mail_amiss() == []
    assert await ledger_proof(Session.open()) == (0, 0)

    async def views_and_promises_are_right() -> bool:
        assert await promises_amiss(desk.acknowledged["forecast"]) == []
        assert await views_amiss(desk) == []
        return True

    await eventually(views_and_promises_are_right, SETTLE_S)
    await asyncio.to_thread(lambda: assert_told_once(run_story()))


async def play(storm: Storm) -> Counter[str]:
    """Let everything happen, three at once; how often what did."""
    began, under_way = time.monotonic(), set[asyncio.Task[None]]()
    faults = storm.faults()
    for number, (happen, name) in enumerate(faults, 1):
        while len(under_way) >= AT_ONCE:
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*done)
        await asyncio.sleep(storm.chance.uniform(*BETWEEN_S))
        print(f"{time.monotonic() - began:6.1f} s  {number}. {happen.__name__} {name}", flush=True)
        under_way.add(asyncio.create_task(happen(name)))
    await asyncio.gather(*under_way)
    return Counter(happen.__name__ for happen, _ in faults)
