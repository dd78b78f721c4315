"""How truthful freshness is: said nearly always while events flow, and not for long once one is missing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cases.service import service as cases
from chassis.db.schema import OUTBOX
from chassis.inbox.consumer import Consumer
from chassis.inbox.freshness import Freshness, Standing
from chassis.outbox.heartbeat import Heartbeat
from chassis.outbox.relay import Relay
from customer.service import service as customer
from tests.bench.events import COLUMNS, embedded, outbox_rows
from tests.bench.platform import Platform, measured_here
from tests.bench.result import PERCENT, SECONDS, Result

RATE = 200  # events a second
PERIOD_S = 0.1
STEADY_S = 30.0
SAMPLE_S = 0.02
FRESH_AT_MOST_S = 5.0
GIVE_UP_S = 15.0


async def freshness(platform: Platform) -> list[Result]:
    """A steady flow of events; then the projector stands still while they go on."""
    async with (
        embedded(platform, cases) as (owner, publishing, admin),
        embedded(platform, customer) as (reader, listening, _),
    ):
        (subscription,) = (each for each in reader.subscriptions if each.source == "cases")
        known = Freshness()
        await known.start(listening, [subscription])
        consumer = Consumer(reader.db, listening, subscription)
        parts = (
            Relay(owner.db, publishing).run,
            Heartbeat(owner.db, publishing).run,
            known.run,
            lambda: _tell(admin),
        )
        running = [asyncio.create_task(part()) for part in parts]
        consuming = asyncio.create_task(consumer.run())

        def is_fresh() -> bool:
            return known.of("cases").standing is Standing.FRESH

        with measured_here():
            try:
                await _until(is_fresh)
                share = await _share(is_fresh)
                consumer.stop_fetching()
                await consuming
                began = time.perf_counter()
                await _until(lambda: not is_fresh())
                lasted_s = time.perf_counter() - began
            finally:
                for task in [*running, consuming]:
                    task.cancel()
                await asyncio.gather(*running, consuming, return_exceptions=True)
    note = f"{RATE} events/s for {STEADY_S:.0f} s"
    return [
        Result("FRESH said, of samples while events flow", share, PERCENT, 99.0, 99.9, note),
        Result("FRESH said after the projector stopped", lasted_s, SECONDS, FRESH_AT_MOST_S, None),
    ]


async def _tell(admin: Any) -> None:
    """Record events at the rate, as transactions of the owner would."""
    while True:
        rows = [[row[column] for column in COLUMNS] for row in outbox_rows(int(RATE * PERIOD_S))]
        await admin.copy_records_to_table(OUTBOX.name, records=rows, columns=COLUMNS)
        await asyncio.sleep(PERIOD_S)


async def _share(is_fresh: Callable[[], bool]) -> float:
    """The percentage of samples in which it is fresh."""
    said = []
    ends_at = time.perf_counter() + STEADY_S
    while time.perf_counter() < ends_at:
        said.append(is_fresh())
        await asyncio.sleep(SAMPLE_S)
    return 100.0 * sum(said) / len(said)


async def _until(condition: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(GIVE_UP_S):
            while not condition():  # noqa: ASYNC110 - what is sampled sets no Event
                await asyncio.sleep(SAMPLE_S)
