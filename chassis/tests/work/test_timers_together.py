"""Timers of one kind that are handled together: in one transaction, each once, and alone when one fails."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chassis.work.timers import TimerRunner, Together
from rapport_testing.clock import ManualClock
from rapport_testing.sql import Sql

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


class Writes:
    """Notes each key; refuses what is called `bad`."""

    def __init__(self):
        self.sizes = []

    async def handle(self, tx, fired):
        self.sizes.append(len(fired))
        for timer, call in fired:
            tx.act(call)
            await tx.fetch(NOTE, [f"{timer.key} of {tx.call.correlation_id}"])
            if timer.key == "bad":
                raise RuntimeError("no")


@pytest.fixture
def writes():
    return Writes()


async def schedule(db, acting, *keys):
    for flow, some in (("f1", keys[::2]), ("f2", keys[1::2])):
        with acting("Test/Schedule", correlation_id=flow):
            async with db.transaction() as tx:
                for key in some:
                    await tx.schedule("remind", key, NOON)


async def rows(db, sql):
    async with db.connection() as connection:
        return [tuple(row) for row in await connection.fetch(sql)]


NOTES = "SELECT text FROM notes ORDER BY text"


async def test_many_are_handled_in_one_transaction_each_in_the_flow_that_scheduled_it(
    database, acting, writes
):
    db = await database(clock=ManualClock(NOON))
    await schedule(db, acting, "a", "b", "c", "d")
    await TimerRunner(db, {"remind": Together(writes.handle)}).fire()
    assert writes.sizes == [4]
    assert await rows(db, NOTES) == [("a of f1",), ("b of f2",), ("c of f1",), ("d of f2",)]
    assert await rows(db, "SELECT key FROM timers") == []
    audited = await rows(db, "SELECT actor, correlation_id FROM audit WHERE what = 'remind' ORDER BY 2")
    assert audited == [("clock", "f1"), ("clock", "f1"), ("clock", "f2"), ("clock", "f2")]


async def test_when_one_fails_the_others_are_done_all_the_same(database, acting, writes):
    db = await database(clock=ManualClock(NOON))
    await schedule(db, acting, "a", "bad", "c")
    await TimerRunner(db, {"remind": Together(writes.handle)}).fire()
    assert writes.sizes == [3, 1, 1, 1]
    assert await rows(db, NOTES) == [("a of f1",), ("c of f1",)]
    assert await rows(db, "SELECT key, attempts FROM timers") == [("bad", 1)]


async def test_two_runners_never_fire_one_of_them_twice(database, acting, writes, monkeypatch):
    monkeypatch.setattr("chassis.work.timers.CLAIM", 7)
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await schedule(db, acting, *(f"{number:03}" for number in range(200)))
    runners = [TimerRunner(db, {"remind": Together(writes.handle)}) for _ in range(2)]

    async def fire(runner):
        while await rows(db, "SELECT 1 FROM timers"):
            await runner.fire()

    await asyncio.gather(*map(fire, runners))
    found = Counter(text for (text,) in await rows(db, NOTES))
    assert (len(found), set(found.values())) == (200, {1})


async def test_one_that_is_moved_while_they_are_handled_has_not_fired_and_the_others_do(
    database, acting, writes
):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await schedule(db, acting, "a", "b")
    later = NOON + timedelta(hours=1)
    moved = []

    async def handle(tx, fired):
        if not moved:
            moved.append(True)
            async with db.connection() as connection:
                await connection.execute(
                    "UPDATE timers SET id = gen_random_uuid(), due_at = $1 WHERE key = 'b'", later
                )
        await writes.handle(tx, fired)

    runner = TimerRunner(db, {"remind": Together(handle)})
    await runner.fire()
    assert await rows(db, NOTES) == []
    await runner.fire()
    assert await rows(db, NOTES) == [("a of f1",)]
    assert await rows(db, "SELECT key, due_at FROM timers") == [("b", later)]
