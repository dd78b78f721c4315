"""How current what one knows of another service is: never said to be fresher than it is."""

import asyncio
import time
from datetime import timedelta

import msgspec
import pytest

from chassis.events.broadcast import Beat
from chassis.events.declarations import Declaration
from chassis.events.envelope import Event
from chassis.inbox import freshness as module
from chassis.inbox.freshness import Freshness, Standing
from chassis.inbox.subscription import Subscription
from chassis.outbox.heartbeat import Heartbeat
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.wait import eventually

FRESH, BEHIND, SILENT = Standing.FRESH, Standing.BEHIND, Standing.SILENT


async def ignore(tx, event: Event[CaseOpened]) -> None:
    """An effect of no consequence."""


class Reader:
    """`loyalty` listens to `cases`: what it knows, and the broker in between."""

    def __init__(self, bench, subscription, freshness, connection):
        self.bench = bench
        self.subscription = subscription
        self.freshness = freshness
        self.connection = connection

    async def beat(self, sequence, *, lag_s=0.0, unpublished=0, sent_ago_s=0.0):
        beat = Beat(unpublished, lag_s, sequence, time.time() - sent_ago_s)
        await self.connection.client.publish("beat.cases", msgspec.json.encode(beat))

    async def publish(self, count=1):
        for _ in range(count):
            await self.connection.js.publish("events.cases.case.opened.v1", b"")

    def state(self):
        return self.freshness.of("cases")

    async def becomes(self, standing):
        await eventually(lambda: self.state().standing is standing)


@pytest.fixture
async def reader(bench):
    subscription = Subscription.of_handlers("loyalty-cases", "cases", [ignore])
    connection = await bench.broker(Declaration("loyalty", (subscription.declared(),)))
    freshness = Freshness()
    await freshness.start(connection, [subscription])
    bench.run(freshness.run())
    return Reader(bench, subscription, freshness, connection)


@pytest.fixture
def quick(monkeypatch):
    """A fresh source is one that was complete a quarter of a second ago."""
    monkeypatch.setattr(module, "FRESH_S", 0.25)
    monkeypatch.setattr(module, "KNOWN_S", 1.0)
    monkeypatch.setattr(module, "ASK_IDLE_S", 0.2)
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.1)


async def test_a_source_that_was_never_heard_is_silent(reader):
    await reader.publish()
    assert reader.state().standing is SILENT


async def test_a_source_is_fresh_when_nothing_of_what_it_told_is_left_to_do(reader):
    await reader.beat(0)
    await reader.becomes(FRESH)
    assert reader.state().pending == 0


async def test_a_source_is_fresh_when_all_up_to_its_beat_is_acknowledged_and_more_is_waiting(reader):
    await reader.publish(3)
    pull = await reader.connection.js.pull_subscribe_bind("loyalty-cases", "CASES")
    for message in await pull.fetch(2):
        await message.ack()
    await reader.beat(2)
    await reader.becomes(FRESH)
    assert reader.state().pending == 1


async def test_what_is_delivered_and_not_acknowledged_counts_as_missing(reader, quick):
    await reader.publish(2)
    pull = await reader.connection.js.pull_subscribe_bind("loyalty-cases", "CASES")
    [first, second] = await pull.fetch(2)
    await second.ack()
    await first.nak(delay=60)
    for _ in range(8):
        await reader.beat(2)
        await asyncio.sleep(0.05)
        assert reader.state().standing is not FRESH
    await reader.beat(2)
    await reader.becomes(BEHIND)
    assert reader.state().pending == 1


async def test_what_is_not_published_counts_as_missing(reader, quick):
    await reader.beat(0, lag_s=30, unpublished=7)
    await reader.becomes(BEHIND)
    assert reader.state().pending == 7
    assert 29 < reader.state().age_s < 35


async def test_a_source_that_falls_silent_is_not_fresh_for_long(reader, quick):
    await reader.beat(0)
    await reader.becomes(FRESH)
    await reader.becomes(SILENT)


async def test_a_beat_that_was_long_on_its_way_says_nothing_of_now(reader, quick):
    await reader.beat(0)
    await reader.becomes(FRESH)
    await reader.becomes(SILENT)
    await reader.beat(0, sent_ago_s=20)
    await reader.becomes(BEHIND)
    assert reader.freshness._heard["cases"].marks[-1][0] < time.monotonic() - 15


async def test_a_missing_consumer_is_silence_and_a_problem_until_it_is_there_and_the_next_beat_is(reader):
    await reader.beat(0)
    await reader.becomes(FRESH)
    await reader.connection.js.delete_consumer("CASES", "loyalty-cases")
    await reader.becomes(SILENT)
    assert ["loyalty-cases" in problem for problem in reader.freshness.problems] == [True]

    await reader.publish()  # and the consumer that is made again has yet to deliver it
    await reader.bench.broker(Declaration("loyalty", (reader.subscription.declared(),)))
    await eventually(lambda: not reader.freshness.problems)
    reached = reader.freshness._reached["loyalty-cases"].until
    await reader.beat(1)
    await eventually(lambda: reader.freshness._heard["cases"].marks)
    await asyncio.gather(reader.freshness._ask(reader.subscription))
    assert reader.freshness._reached["loyalty-cases"].until == reached


@pytest.mark.parametrize("nonsense", [b"nonsense", b'{"unpublished":1}', b"[]"])
async def test_a_heartbeat_that_cannot_be_read_changes_nothing(reader, nonsense):
    await reader.connection.client.publish("beat.cases", nonsense)
    await reader.connection.client.publish("beat.loyalty", msgspec.json.encode(Beat(1, 0, 0, 0)))
    await eventually(lambda: "loyalty" in reader.freshness._heard)
    assert "cases" not in reader.freshness._heard or not reader.freshness._heard["cases"].marks


async def test_a_beat_says_since_when_something_is_unpublished(bench, clock):
    cases = await bench.database(clock=clock)
    connection = await bench.broker(Declaration("cases"))
    beats = []

    async def hear(message):
        beats.append(msgspec.json.decode(message.data, type=Beat))

    await connection.client.subscribe("beat.cases", cb=hear)
    await bench.open(cases, *[f"cases/{n}" for n in range(40)])
    clock.advance(timedelta(seconds=90))
    bench.run(Heartbeat(cases, connection).run())

    [beat, *_] = await eventually(lambda: beats)

    assert beat.unpublished == 40
    assert beat.lag_s == pytest.approx(90)
    assert (beat.sequence, abs(beat.sent_at - time.time()) < 60) == (0, True)
