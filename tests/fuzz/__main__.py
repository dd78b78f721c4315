"""`make fuzz CALLS=100000 SEED=7`: calls that nobody would make, on a platform of its own.

Seven of ten by gRPC, two by REST, one a webhook. No answer is our mistake, undocumented, or tells of what is
inside; no process ends, none grows without end; nothing that was taken is stuck, or given up on.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.local.issuer import Issuer
from tests.chaos.truth import rows
from tests.e2e.stack import Stack
from tests.fuzz.callers import Callers, webhook_sources
from tests.fuzz.judged import Judge
from tests.fuzz.made import Maker

AT_ONCE = 12
LONGEST_S = 1700.0
GROWTH_MAX = 1.5  # of a process, from the first fifth of the calls to the last
STUCK_S = 400.0
STUCK = """
    SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS unpublished,
           (SELECT count(*) FROM parked) AS set_aside
"""


def processes(stack: Stack) -> dict[str, tuple[int, int]]:
    """The pid and the resident MiB of every part."""
    units = stack.home.read_status()["units"]
    return {
        each["name"]: (each["pid"], psutil.Process(each["pid"]).memory_info().rss // 2**20) for each in units
    }


async def fuzz(stack: Stack, calls: int, seed: int) -> list[str]:
    """What is amiss after so many calls."""
    session, judge = Session.open(), Judge()
    webhook_sources(stack.home.webhooks)
    token = Issuer(stack.home).token("agent:fuzz", {"*"}, "front-desk")
    peers = json.loads(session.env["RAPPORT_PEERS"])
    callers = Callers(Maker(seed), judge, peers, session.env["RAPPORT_DESK_URL"], token)
    await callers.begin()
    left, began = iter(range(calls)), time.monotonic()
    before: dict[str, tuple[int, int]] = {}
    by_chance = [callers.by_grpc] * 7 + [callers.by_rest] * 2 + [callers.by_webhook]

    async def call() -> None:
        for number in left:
            if time.monotonic() - began > LONGEST_S:
                return
            await callers.chance.choice(by_chance)()
            if number == calls // 5:
                before.update(processes(stack))
            if number % (calls // 20 or 1) == 0:
                print(
                    f"{time.monotonic() - began:6.0f} s  {number} calls, {len(judge.faults)} faults",
                    flush=True,
                )

    await asyncio.gather(*(call() for _ in range(AT_ONCE)))
    await callers.close()
    for outcome, count in sorted(judge.counts.items()):
        print(f"{count:8} {outcome}")
    after, amiss = processes(stack), list(judge.faults)
    for name, (pid, size) in before.items():
        print(f"{name}: {size} MiB, then {after[name][1]} MiB")
        if after[name][0] != pid:
            amiss.append(f"{name} ended")
        if after[name][1] > size * GROWTH_MAX:
            amiss.append(f"{name} grew from {size} to {after[name][1]} MiB")
    return amiss + await stuck()


async def stuck() -> list[str]:
    """The services in which something waits for ever."""
    last: dict[str, Any] = {}

    async def nothing() -> bool:
        for service in Session.open().peers:
            last[service] = dict((await rows(service, STUCK))[0])
        return not any(count for each in last.values() for count in each.values())

    try:
        await eventually(nothing, STUCK_S)
    except AssertionError:
        return [f"{service}: {waits}" for service, waits in last.items() if any(waits.values())]
    return []


def main() -> int:
    """Start a platform, and call it."""
    calls = int(os.environ.get("CALLS") or 20_000)
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    print(f"CALLS={calls} SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        with stack.up():
            amiss = asyncio.run(fuzz(stack, calls, seed))
            for each in amiss:
                print(f"AMISS {each}")
    return bool(amiss)


if __name__ == "__main__":
    sys.exit(main())
