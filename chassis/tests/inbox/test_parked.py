"""Events that cannot be applied wait beside the others, and hold up nobody."""

import asyncio
from dataclasses import make_dataclass
from uuid import UUID

import asyncpg
import pytest

from chassis.backoff import Backoff
from chassis.errors import FailedPrecondition, Unavailable
from chassis.events.declarations import Consumption, Declaration
from chassis.events.envelope import Event
from chassis.events.registry import subject_of
from chassis.inbox.subscription import Subscription
from chassis.operations.store import DROP
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseReopened
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

Reopened = make_dataclass("CaseReopened", [("case", str), ("customer", str, "")])
NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")
LOCK = Sql("SELECT id FROM notes WHERE text = $1 FOR UPDATE")


async def parked(db):
    async with db.connection() as connection:
        return await connection.fetch("SELECT * FROM parked ORDER BY parked_at, event_id")


@pytest.fixture
async def pair(bench):
    """Databases of `cases`, whose outbox is relayed, and of `loyalty`."""
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    return cases, loyalty


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.05, 0.05))


async def test_what_one_replica_has_no_hands_for_is_tried_by_another(bench, noted, pair, monkeypatch):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(60, 60))
    cases, loyalty = pair
    tried, stuck = [], asyncio.Event()

    async def fail_and_then_stand_still(tx, event: Event[CaseOpened]) -> None:
        tried.append(event.data.case)
        if len(tried) <= 5:
            raise TimeoutError
        await stuck.wait()

    async def all_are_aside():
        return len(await parked(loyalty)) == 5

    async def others_are_applied():
        return len(await noted(loyalty)) == 3

    await bench.consume(loyalty, fail_and_then_stand_still)
    await bench.open(cases, *(f"cases/{n}" for n in range(5)))
    await eventually(all_are_aside)
    async with loyalty.connection() as connection:
        await connection.execute("UPDATE parked SET due_at = now()")
    await eventually(lambda: len(tried) == 7)

    await bench.consume(loyalty)

    await eventually(others_are_applied)
    stuck.set()


@pytest.fixture
def impatient(monkeypatch):
    """An event waits for a lock a tenth as long."""
    monkeypatch.setattr("chassis.inbox.effect.LOCK_TIMEOUT_MS", 10)


@pytest.mark.usefixtures("impatient")
async def test_rows_locked_for_300_customers_keep_nobody_else_waiting(bench, noted, pair):
    """Deliveries that the broker keeps for later count against how many it hands out."""
    cases, loyalty = pair
    locked = [f"cases/{n}" for n in range(300)]
    async with loyalty.connection() as connection:
        await connection.executemany("INSERT INTO notes (text) VALUES ($1)", [[name] for name in locked])

    async def note(tx, event: Event[CaseOpened]) -> None:
        await tx.fetch(LOCK, [event.data.case])
        await tx.fetch(NOTE, [event.data.case + " noted"])

    async def served(*names):
        return {f"{name} noted" for name in names} <= set(await noted(loyalty))

    holder = await asyncpg.connect(loyalty._url)
    async with holder.transaction():
        await holder.execute("SELECT id FROM notes FOR UPDATE")
        await bench.open(cases, *locked, together=True)
        await bench.open(cases, "cases/other")
        await bench.consume(loyalty, note)
        await eventually(lambda: served("cases/other"), timeout_s=60)
        assert not await served(locked[0])
        waiting = await eventually(lambda: parked(loyalty))
        assert {row["state"] for row in waiting} == {"PARKED"}
    await holder.close()
    await eventually(lambda: served(*locked), timeout_s=60)

    async def none():
        return not await parked(loyalty)

    await eventually(none)


async def test_a_locked_row_keeps_nobody_elses_projection_waiting(bench, noted, pair):
    cases, loyalty = pair
    async with loyalty.connection() as connection:
        await connection.execute("INSERT INTO notes (text) VALUES ('cases/locked')")

    async def project(tx, events):
        for event in events:
            await tx.fetch(LOCK, [event.data.case])
            await tx.fetch(NOTE, [event.data.case + " noted"])

    holder = await asyncpg.connect(loyalty._url)
    async with holder.transaction():
        await holder.execute("SELECT id FROM notes FOR UPDATE")
        await bench.open(cases, "cases/locked", "cases/other", together=True)
        await bench.project(loyalty, project)

        async def served():
            return "cases/other noted" in await noted(loyalty)

        await eventually(served)
        [row] = await eventually(lambda: parked(loyalty))
        assert (row["resource"], row["source"], row["error"]) == ("cases/locked", "cases", "Aborted")
    await holder.close()


async def test_an_event_set_aside_is_acknowledged_and_says_whose_it_is(bench, pair, opened):
    cases, loyalty = pair

    async def away(tx, event: Event[CaseOpened]) -> None:
        raise Unavailable("PEER_UNAVAILABLE", "private detail")

    await bench.consume(loyalty, away)
    with bench.acting():
        async with cases.transaction() as tx:
            event_id = tx.record(opened("cases/1", customer="customers/anna"), version=1)

    [row] = await eventually(lambda: parked(loyalty))
    assert (row["event_id"], row["consumer"], row["state"]) == (event_id, "loyalty-cases", "PARKED")
    assert (row["resource"], row["customer"]) == ("cases/1", "customers/anna")
    assert (row["error"], row["reason"]) == ("Unavailable", "PEER_UNAVAILABLE")
    assert "private detail" not in str(dict(row))
    connection = await bench.broker(Declaration("cases"))

    async def acknowledged():
        info = await connection.js.consumer_info("CASES", "loyalty-cases")
        return (info.num_ack_pending, info.ack_floor.stream_seq) == (0, 1)

    await eventually(acknowledged)


async def test_an_event_of_an_unknown_type_waits_for_the_release_that_knows_it(bench, noted, pair):
    cases, loyalty = pair

    async def on_reopened(tx, event: Event[CaseReopened]) -> None:
        await tx.fetch(NOTE, ["reopened"])

    old = Subscription.of_handlers("loyalty-cases", "cases", [on_reopened])
    # As the next release provisioned it while this one still runs.
    everything = Consumption("loyalty-cases", "cases", ("events.cases.>",))
    await bench.broker(Declaration("loyalty", (everything,)))
    replica = await bench.start_as_provisioned(loyalty, old)
    [event_id] = await bench.open(cases, "cases/1")

    [row] = await eventually(lambda: parked(loyalty))
    assert (row["event_id"], row["type"], row["error"]) == (event_id, "rapport.cases.v1.CaseOpened", "")
    assert await noted(loyalty) == []

    await bench.consume(loyalty)  # the new release, beside the old one
    await eventually(lambda: noted(loyalty))
    replica.stop_fetching()

    async def none():
        return not await parked(loyalty)

    await eventually(none)
    assert await noted(loyalty) == ["cases/1"]


async def test_what_a_newer_release_fails_at_is_left_to_it_and_says_whose_it_is(
    bench, noted, pair, soon, opened, infrastructure
):
    cases, loyalty = pair
    failed: set[UUID] = set()

    async def fail_first(tx, event: Event[CaseReopened]) -> None:
        if event.id not in failed:
            failed.add(event.id)
            raise TimeoutError
        await tx.fetch(NOTE, ["reopened"])

    async def away(tx, event: Event[CaseOpened]) -> None:
        raise Unavailable("PEER_UNAVAILABLE", "")

    old = Subscription.of_handlers("loyalty-cases", "cases", [fail_first])
    new = Subscription.of_handlers("loyalty-cases", "cases", [fail_first, away])
    await bench.broker(Declaration("loyalty", (new.declared(),)))
    await bench.start_as_provisioned(loyalty, old)
    with bench.acting():
        async with cases.transaction() as tx:
            for n in range(17):
                tx.record(opened(f"cases/{n}", customer="customers/anna"), version=1)

    async def kept(**fields):
        rows = await parked(loyalty)
        return rows if len(rows) == 17 and all(r[k] == v for r in rows for k, v in fields.items()) else []

    raw = await eventually(lambda: kept(error="", customer="customers/anna"))
    assert len({row["transaction_id"] for row in raw}) == 1
    assert raw[0]["transaction_id"] is not None

    newer = await bench.start_as_provisioned(loyalty, new)
    await eventually(lambda: kept(error="Unavailable", customer="customers/anna"))
    newer.stop_fetching()
    await newer.finished(10)
    async with loyalty.connection() as connection:  # what the old one looks at next
        await connection.execute("UPDATE parked SET due_at = now() - interval '1 hour'")
    before = await parked(loyalty)
    with bench.acting():
        async with cases.transaction() as tx:
            tx.record(Reopened("cases/1"), version=2)
    await eventually(lambda: noted(loyalty))
    assert (failed, await parked(loyalty)) == ({*failed}, before)
    assert await bench.dead_letters(loyalty) == []


async def test_a_batch_with_an_unknown_type_applies_the_others(bench, noted, pair):
    cases, loyalty = pair
    await bench.open(cases, "cases/1")
    with bench.acting():
        async with cases.transaction() as tx:
            tx.record(Reopened("cases/1"), version=2)

    async def project(tx, events):
        for event in events:
            await tx.fetch(NOTE, [event.data.case])

    everything = Consumption("loyalty-view", "cases", ("events.cases.>",), 1000)
    await bench.broker(Declaration("loyalty", (everything,)))
    subscription = Subscription.of_batches("loyalty-view", "cases", [CaseOpened], project)
    await bench.start_as_provisioned(loyalty, subscription)

    [row] = await eventually(lambda: parked(loyalty))
    assert row["type"] == "rapport.cases.v1.CaseReopened"
    await eventually(lambda: noted(loyalty))


async def test_one_given_up_on_is_marked_dead_until_it_is_replayed_with_success(
    bench, noted, pair, infrastructure
):
    cases, loyalty = pair
    refuses = True

    async def refuse(tx, event: Event[CaseOpened]) -> None:
        if refuses:
            raise FailedPrecondition("CASE_UNKNOWN", "no")
        await tx.fetch(NOTE, [event.data.case])

    await bench.consume(loyalty, refuse)
    [event_id] = await bench.open(cases, "cases/1")
    [letter] = await eventually(lambda: bench.dead_letters(loyalty))
    await bench.replay(loyalty, letter)
    [again] = await eventually(lambda: bench.dead_letters(loyalty))
    assert (again.event_id, again.attempts) == (event_id, 1)
    refuses = False
    await bench.replay(loyalty, again)
    await eventually(lambda: noted(loyalty))

    async def none():
        return not await parked(loyalty)

    await eventually(none)


async def test_dead_letters_replayed_while_events_flow_are_missing_no_more(bench, noted, pair):
    cases, loyalty = pair
    refuses = True

    async def project(tx, events):
        if refuses:
            raise FailedPrecondition("CASE_UNKNOWN", "no")
        for event in events:
            await tx.fetch(NOTE, [event.data.case])

    replica = await bench.project(loyalty, project)
    await bench.open(cases, "cases/1", "cases/2", together=True)

    async def both_dead():
        return len(await bench.dead_letters(loyalty)) == 2

    await eventually(both_dead)
    replica.stop_fetching()
    await replica.finished(10)
    for letter in await bench.dead_letters(loyalty):
        await bench.replay(loyalty, letter)
    refuses = False
    await bench.project(loyalty, project)

    async def none():
        return len(await noted(loyalty)) == 2 and not await parked(loyalty)

    await eventually(none)


async def test_a_message_that_is_no_event_is_missing_once_until_it_is_dropped(bench, pair):
    _, loyalty = pair
    await bench.consume(loyalty)
    connection = await bench.broker(Declaration("cases"))
    await connection.js.publish(subject_of(CaseOpened), b"garbage")

    [first] = await eventually(lambda: bench.dead_letters(loyalty))
    await bench.replay(loyalty, first)
    [again] = await eventually(lambda: bench.dead_letters(loyalty))
    assert again.event_id == first.event_id
    await DROP.run(loyalty, consumer_id=again.consumer, id=again.event_id)
    assert await parked(loyalty) == []


async def test_two_replicas_try_what_is_set_aside_and_it_takes_effect_once(bench, noted, pair, soon):
    cases, loyalty = pair
    other = await bench.database("loyalty", beside=loyalty)
    failed: set[UUID] = set()

    async def fail_first(tx, event: Event[CaseOpened]) -> None:
        await tx.fetch(NOTE, [event.data.case])
        if event.id not in failed:
            failed.add(event.id)
            raise TimeoutError

    await bench.consume(loyalty, fail_first)
    await bench.consume(other, fail_first)
    names = sorted(f"cases/{n}" for n in range(60))
    await bench.open(cases, *names, together=True)

    async def all_of_them():
        return len(await noted(loyalty)) >= 60 and not await parked(loyalty)

    await eventually(all_of_them)
    assert sorted(await noted(loyalty)) == names
