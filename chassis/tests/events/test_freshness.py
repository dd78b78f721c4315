from datetime import UTC, datetime, timedelta

import pytest

from chassis.clock import ManualClock
from chassis.events.freshness import Freshness
from chassis.events.provision import Declaration
from chassis.events.subscription import Subscription
from chassis.testing.wait import eventually

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def subscription():
    return Subscription.of_batches("loyalty-view", "cases", [], None)


@pytest.fixture
async def listening(broker, clock, subscription):
    connection = await broker(Declaration("cases"))
    freshness = Freshness("loyalty", clock)
    await freshness.start(connection, [subscription])
    return freshness, connection.client


async def test_a_source_that_was_never_heard_is_silent_since_the_start(listening, clock):
    freshness, _ = listening

    clock.advance(timedelta(seconds=42))

    assert freshness.of("cases").silent_s == 42


async def test_a_heartbeat_ends_the_silence_and_tells_what_is_unpublished(listening, clock):
    freshness, client = listening
    clock.advance(timedelta(seconds=42))

    await client.publish("beat.cases", b'{"unpublished":3,"oldest_s":7.5}')

    state = await eventually(lambda: freshness.of("cases") if freshness.of("cases").pending else None)
    assert (state.pending, state.oldest_s, state.silent_s) == (3, 7.5, 0)


async def test_the_own_backlog_counts(listening, clock, subscription):
    freshness, _ = listening
    subscription.progress.pending = 12
    subscription.progress.oldest = clock.now() - timedelta(seconds=9)

    state = freshness.of("cases")

    assert (state.pending, state.oldest_s) == (12, 9)


async def test_a_heartbeat_that_cannot_be_read_changes_nothing(listening, clock):
    freshness, client = listening
    clock.advance(timedelta(seconds=42))

    await client.publish("beat.cases", b"nonsense")
    await client.publish("beat.loyalty", b'{"unpublished":1,"oldest_s":0}')

    await eventually(lambda: freshness.of("loyalty").pending == 1)
    assert freshness.of("cases").silent_s == 42


async def test_a_consumer_that_has_caught_up_has_nothing_pending(bench, noted, clock):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    applied = []

    async def apply(tx, events):
        applied.extend(events)

    subscription = Subscription.of_batches("loyalty-view", "cases", [bench_message()], apply)
    await bench.relay(cases)
    await bench.start(loyalty, subscription)
    await bench.open(cases, *[f"cases/{n}" for n in range(10)])

    await eventually(lambda: len(applied) == 10)
    await eventually(lambda: subscription.progress.pending == 0 and subscription.progress.oldest is None)


def bench_message():
    from rapport.cases.v1.cases_events_pb2 import CaseOpened

    return CaseOpened


def test_time_moves_only_when_told():
    clock = ManualClock(NOON)
    freshness = Freshness("loyalty", clock)
    assert freshness.of("cases").silent_s == 0
