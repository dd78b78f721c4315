import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chassis.clock import Clock
from chassis.work import timers
from chassis.work.timers import TimerRunner
from rapport_testing.clock import ManualClock
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def schedule(db, acting, *keys, due_at=NOON, kind="remind"):
    with acting("Test/Schedule", correlation_id="flow-1"):
        async with db.transaction() as tx:
            for key in keys:
                await tx.schedule(kind, key, due_at)


async def notes(db):
    async with db.connection() as connection:
        return [row["text"] for row in await connection.fetch("SELECT text FROM notes ORDER BY id")]


async def waiting(db):
    async with db.connection() as connection:
        return await connection.fetch("SELECT * FROM timers ORDER BY key")


async def write_note(tx, timer):
    await tx.fetch(NOTE, [timer.key])


NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


async def test_a_timer_fires_when_it_is_due_and_not_before(database, acting):
    clock = ManualClock(NOON - MINUTE)
    db = await database(clock=clock)
    runner = TimerRunner(db, {"remind": write_note})
    await schedule(db, acting, "a")

    await runner.fire()
    assert await notes(db) == []
    clock.advance(MINUTE)
    await runner.fire()
    await runner.fire()

    assert await notes(db) == ["a"]
    assert await waiting(db) == []


async def test_the_earliest_fires_first(database, acting, monkeypatch):
    monkeypatch.setattr("chassis.work.timers.AT_ONCE", 1)
    db = await database(clock=ManualClock(NOON))
    order = []

    async def remember(tx, timer):
        order.append(timer.key)

    await schedule(db, acting, "late", due_at=NOON - MINUTE)
    await schedule(db, acting, "early", due_at=NOON - 2 * MINUTE)
    await TimerRunner(db, {"remind": remember}).fire()

    assert order == ["early", "late"]


async def test_two_runners_never_fire_one_timer_twice(database, acting):
    db = await database(clock=ManualClock(NOON))
    other = await database(clock=ManualClock(NOON), beside=db)
    keys = [f"timer-{n:03}" for n in range(200)]
    await schedule(db, acting, *keys)
    runners = [TimerRunner(db, {"remind": write_note}), TimerRunner(other, {"remind": write_note})]

    while await waiting(db):
        await asyncio.gather(*(runner.fire() for runner in runners))

    assert Counter(await notes(db)) == Counter(keys)


async def test_a_failing_handler_undoes_its_effect_and_is_tried_again_later(database, acting):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    tries = []

    async def fail_once(tx, timer):
        await write_note(tx, timer)
        tries.append(timer.attempts)
        if len(tries) == 1:
            raise RuntimeError("not yet")

    runner = TimerRunner(db, {"remind": fail_once})
    await schedule(db, acting, "a")

    await runner.fire()
    await runner.fire()
    assert await notes(db) == []
    assert tries == [0]
    clock.advance(timedelta(seconds=2))
    await runner.fire()

    assert await notes(db) == ["a"]
    assert tries == [0, 1]


@pytest.mark.parametrize("attempts", [20, 1023, 1024, 5000])
async def test_a_timer_that_keeps_failing_is_tried_every_five_minutes_or_so(database, acting, attempts):
    clock = ManualClock(NOON)
    db = await database(clock=clock)

    async def fail(tx, timer):
        raise RuntimeError("never")

    runner = TimerRunner(db, {"remind": fail})
    await schedule(db, acting, "a")
    async with db.connection() as connection:
        await connection.execute("UPDATE timers SET attempts = $1", attempts)
    await runner.fire()

    [row] = await waiting(db)
    assert row["attempts"] == attempts + 1
    assert timedelta(minutes=4) <= row["due_at"] - clock.now() <= timedelta(minutes=6)


async def test_whatever_happens_while_a_timer_is_put_off_the_others_go_on(database, acting, monkeypatch):
    db = await database(clock=ManualClock(NOON))

    class Broken:
        async def run(self, *_, **__):
            raise OverflowError

    async def fail_for_a(tx, timer):
        if timer.key == "a":
            raise RuntimeError("not this one")
        await write_note(tx, timer)

    monkeypatch.setattr("chassis.work.timers._RETRY", Broken())
    await schedule(db, acting, "a", due_at=NOON - MINUTE)
    await schedule(db, acting, "b", "c")
    await TimerRunner(db, {"remind": fail_for_a}).fire()

    assert sorted(await notes(db)) == ["b", "c"]


async def test_one_failing_timer_does_not_hold_up_the_others(database, acting):
    db = await database(clock=ManualClock(NOON))

    async def fail_for_a(tx, timer):
        if timer.key == "a":
            raise RuntimeError("not this one")
        await write_note(tx, timer)

    await schedule(db, acting, "a", due_at=NOON - MINUTE)
    await schedule(db, acting, "b", "c")
    await TimerRunner(db, {"remind": fail_for_a}).fire()

    assert sorted(await notes(db)) == ["b", "c"]


async def test_a_rescheduled_timer_fires_at_the_new_time_only(database, acting):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    runner = TimerRunner(db, {"remind": write_note})
    await schedule(db, acting, "a", due_at=NOON)
    await schedule(db, acting, "a", due_at=NOON + MINUTE)

    await runner.fire()
    assert await notes(db) == []
    clock.advance(MINUTE)
    await runner.fire()

    assert await notes(db) == ["a"]


async def test_a_handler_may_schedule_its_own_timer_again(database, acting):
    clock = ManualClock(NOON)
    db = await database(clock=clock)

    async def every_minute(tx, timer):
        await write_note(tx, timer)
        await tx.schedule("remind", timer.key, tx.now + MINUTE)

    runner = TimerRunner(db, {"remind": every_minute})
    await schedule(db, acting, "a")
    for _ in range(3):
        await runner.fire()
        clock.advance(MINUTE)

    assert await notes(db) == ["a", "a", "a"]
    assert len(await waiting(db)) == 1


async def test_timers_of_kinds_that_nobody_handles_here_are_left_alone(database, acting):
    db = await database(clock=ManualClock(NOON))
    await schedule(db, acting, "a", kind="of-the-next-release")

    await TimerRunner(db, {"remind": write_note}).fire()

    assert len(await waiting(db)) == 1


async def test_a_firing_is_the_clocks_doing_in_the_flow_that_scheduled_it(database, acting):
    db = await database(clock=ManualClock(NOON))
    calls = []

    async def look(tx, timer):
        calls.append((tx.call, timer))

    await schedule(db, acting, "a")
    await TimerRunner(db, {"remind": look}).fire()

    [(call, timer)] = calls
    assert (call.what, call.principal.subject, call.correlation_id) == ("remind", "clock", "flow-1")
    assert call.cause_id == timer.id
    assert call.traceparent


@pytest.mark.parametrize("parts", [1, 2])
async def test_a_running_runner_fires_what_is_scheduled_for_now(database, acting, parts):
    db = await database(clock=Clock())
    runner = TimerRunner(db, {"remind": write_note})
    running = asyncio.create_task(runner.run())
    keys = [str(part) for part in range(parts)]

    await schedule(db, acting, *keys, due_at=db.clock.now())

    async def fired():
        return sorted(await notes(db)) == keys

    await eventually(fired)
    running.cancel()


async def audited(db):
    async with db.connection() as connection:
        return await connection.fetch("SELECT what FROM audit WHERE actor = 'clock'")


async def test_a_runner_that_comes_second_writes_nothing(database, acting):
    db = await database(clock=ManualClock(NOON))
    other = await database(clock=ManualClock(NOON), beside=db)
    claimed, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx, timer):
        claimed.set()
        await go_on.wait()
        await write_note(tx, timer)

    await schedule(db, acting, "a")
    first = asyncio.create_task(TimerRunner(db, {"remind": slow}).fire())
    await claimed.wait()
    second = TimerRunner(other, {"remind": write_note})
    for _ in range(5):
        await second.fire()
    assert await audited(db) == []
    go_on.set()
    await first
    await second.fire()

    assert await notes(db) == ["a"]
    assert len(await audited(db)) == 1


async def test_a_timer_that_is_moved_while_its_handler_runs_has_not_fired(database, acting):
    """The use case locks its row, then the timer; so must the handler, or one of the two would be aborted."""
    db = await database(clock=ManualClock(NOON))
    locked, claimed = asyncio.Event(), asyncio.Event()

    async def on_time(tx, timer):
        claimed.set()
        await locked.wait()
        await tx.fetch(Sql("UPDATE notes SET text = 'fired'"), [])

    await schedule(db, acting, "a")
    async with db.connection() as connection:
        await connection.execute("INSERT INTO notes (text) VALUES ('untouched')")
    firing = asyncio.create_task(TimerRunner(db, {"remind": on_time}).fire())
    await claimed.wait()
    with acting():
        async with db.transaction() as tx:
            await tx.fetch(Sql("UPDATE notes SET text = 'moved'"), [])
            locked.set()
            await eventually(lambda: somebody_waits(db))
            await tx.schedule("remind", "a", NOON + MINUTE)
    await firing

    assert await notes(db) == ["moved"]
    assert await audited(db) == []
    (row,) = await waiting(db)
    assert (row["due_at"], row["attempts"]) == (NOON + MINUTE, 0)


async def test_a_timer_that_is_cancelled_while_its_handler_runs_has_not_fired(database, acting):
    db = await database(clock=ManualClock(NOON))

    async def cancelled_meanwhile(tx, timer):
        await write_note(tx, timer)
        with acting():
            async with db.transaction() as other:
                await other.cancel("remind", timer.key)

    await schedule(db, acting, "a")
    await TimerRunner(db, {"remind": cancelled_meanwhile}).fire()

    assert await notes(db) == []
    assert await waiting(db) == []


async def test_a_handler_may_cancel_its_own_timer_and_others(database, acting):
    db = await database(clock=ManualClock(NOON))

    async def cancel_all(tx, timer):
        await write_note(tx, timer)
        await tx.cancel("remind", "a")
        await tx.cancel("remind", "b")

    await schedule(db, acting, "a")
    await schedule(db, acting, "b", due_at=NOON + MINUTE)
    await TimerRunner(db, {"remind": cancel_all}).fire()

    assert await notes(db) == ["a"]
    assert await waiting(db) == []


async def test_a_slow_timer_does_not_hold_up_the_thousands_behind_it(database, acting):
    db = await database(clock=ManualClock(NOON))
    go_on = asyncio.Event()

    async def slow_for_the_first(tx, timer):
        if timer.key == "first":
            await go_on.wait()
        await write_note(tx, timer)

    keys = [f"timer-{n:03}" for n in range(300)]
    await schedule(db, acting, "first", due_at=NOON - MINUTE)
    await schedule(db, acting, *keys)
    firing = asyncio.create_task(TimerRunner(db, {"remind": slow_for_the_first}).fire())

    async def all_but_one():
        return sorted(await notes(db)) == keys

    await eventually(all_but_one, 60)
    go_on.set()
    await firing
    assert len(await notes(db)) == 301


async def test_a_read_of_what_is_due_does_not_grow_with_what_was_done(database, acting, monkeypatch):
    db = await database(clock=ManualClock(NOON))
    due, passed = timers._DUE, []

    class Spy:
        async def all(self, *args, **params):
            passed.append(len(params["passed"]))
            return await due.all(*args, **params)

    monkeypatch.setattr(timers, "_DUE", Spy())
    await schedule(db, acting, *[f"timer-{n:03}" for n in range(300)])
    await TimerRunner(db, {"remind": write_note}).fire()

    assert len(await notes(db)) == 300
    assert len(passed) >= 300 / timers.CLAIM
    assert max(passed) <= timers.AT_ONCE


async def test_timers_and_events_together_leave_half_of_the_connections_to_requests(database, acting):
    db = await database(clock=ManualClock(NOON))
    at_once, most, go_on = [0], [0], asyncio.Event()

    async def slow(tx, timer):
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        await go_on.wait()
        at_once[0] -= 1

    kinds = ["one", "two", "three"]
    for kind in kinds:
        await schedule(db, acting, *[str(n) for n in range(8)], kind=kind)
    async with asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(TimerRunner(db, {kind: slow}).fire())
        await eventually(lambda: at_once == [4])
        for _ in range(20):  # beside everything that is held up
            await notes(db)
        go_on.set()
    assert most == [4]


async def somebody_waits(db):
    async with db.connection() as connection:
        sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return await connection.fetchval(sql)
