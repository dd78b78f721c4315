"""An event that a consumer gave up on waits with that consumer, for people."""

import pytest

from chassis.errors import FailedPrecondition
from chassis.events.envelope import Event
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


class Fixable:
    """A handler that refuses everything until it is fixed."""

    def __init__(self, fixed=False):
        self.fixed = fixed
        self.calls = 0

    async def handle(self, tx, event: Event[CaseOpened]) -> None:
        self.calls += 1
        if not self.fixed:
            raise FailedPrecondition("NOT_YET", "fix it first")
        await tx.fetch(NOTE, [event.data.case])


@pytest.fixture
async def pair(bench):
    """Databases of `cases`, whose outbox is relayed, and of `loyalty`."""
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    return cases, loyalty


async def test_a_replayed_event_is_tried_by_the_consumer_that_gave_up_and_by_no_other(bench, noted, pair):
    cases, loyalty = pair
    broken, sound = Fixable(), Fixable(fixed=True)
    await bench.consume(loyalty, broken.handle, durable="loyalty-broken")
    await bench.consume(loyalty, sound.handle, durable="loyalty-sound")
    await bench.open(cases, "cases/1")
    [letter] = await eventually(lambda: bench.dead_letters(loyalty))
    await eventually(lambda: noted(loyalty))

    broken.fixed = True
    await bench.replay(loyalty, letter)

    async def both():
        return len(await noted(loyalty)) == 2

    await eventually(both)
    assert (broken.calls, sound.calls) == (2, 1)
    assert await bench.dead_letters(loyalty) == []


async def test_an_event_that_fails_again_is_the_same_dead_letter_again(bench, pair):
    cases, loyalty = pair
    broken = Fixable()
    await bench.consume(loyalty, broken.handle)
    [event_id] = await bench.open(cases, "cases/1")
    [first] = await eventually(lambda: bench.dead_letters(loyalty))

    for calls in (2, 3):
        await bench.replay(loyalty, first)
        [again] = await eventually(lambda: bench.dead_letters(loyalty))
        assert (again.event_id, again.subject, broken.calls) == (event_id, first.subject, calls)
