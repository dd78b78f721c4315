import asyncio
import contextlib
from collections import defaultdict

import pytest

from chassis.context import Call, Principal, current_call
from chassis.db import session
from chassis.events.declarations import Declaration
from chassis.outbox import heartbeat
from chassis.outbox.publisher import Publisher
from rapport_testing.wait import eventually


async def unpublished(db):
    async with db.connection() as connection:
        return await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")


async def all_published(db):
    assert await unpublished(db) == 0
    return True


async def test_a_committed_fact_reaches_the_stream_with_its_attributes(bench, stream):
    db = await bench.database()
    await bench.relay(db)

    [event_id] = await bench.open(db, "cases/1", version=7)
    await eventually(lambda: all_published(db))

    [message] = await (await stream()).messages()
    assert message.subject == "events.cases.case.opened.v1"
    assert message.headers["ce-id"] == message.headers["Nats-Msg-Id"] == str(event_id)
    assert message.headers["ce-type"] == "rapport.cases.v1.CaseOpened"
    assert message.headers["ce-resourceversion"] == "7"
    assert message.headers["ce-authid"] == "agent:alice"


async def test_a_batch_that_takes_longer_than_sessions_may_idle_is_published_once(bench, monkeypatch):
    monkeypatch.setattr(session, "KEPT_EVERY_S", 0.1)
    monkeypatch.setitem(session.VANISHED, "idle_session_timeout", ("1s", 0))
    db = await bench.database()
    published = []
    publish = Publisher.publish

    async def slowly(publisher, rows):
        published.extend(row["resource"] for row in rows)
        outcome = await publish(publisher, rows)
        async with db.connection() as connection:
            begun = await connection.fetchval("SELECT clock_timestamp()")

        async def long_ago():
            async with db.connection() as connection:
                return await connection.fetchval(
                    "SELECT clock_timestamp() > $1::timestamptz + interval '2 s'", begun
                )

        await eventually(long_ago)
        return outcome

    monkeypatch.setattr(Publisher, "publish", slowly)
    await bench.open(db, "cases/1")
    await bench.relay(db)
    await eventually(lambda: all_published(db))
    assert published == ["cases/1"]


async def test_a_rolled_back_fact_is_never_published(bench, stream):
    db = await bench.database()
    await bench.relay(db)

    with bench.acting(), contextlib.suppress(RuntimeError):
        async with db.transaction() as tx:
            tx.record(bench.opened("cases/1"), version=1)
            raise RuntimeError
    await bench.open(db, "cases/2")
    await eventually(lambda: all_published(db))

    assert await (await stream()).resources() == ["cases/2"]


async def test_two_relays_neither_lose_nor_repeat_nor_reorder(bench, stream):
    db = await bench.database()
    other = await bench.database(beside=db)
    relays = [await bench.relay(db), await bench.relay(other)]
    assert len(relays) == 2

    async def write(resource):
        for version in range(1, 31):
            await bench.open(db if version % 2 else other, resource, version=version)

    resources = [f"cases/{n}" for n in range(20)]
    await asyncio.gather(*(write(resource) for resource in resources))
    await eventually(lambda: all_published(db))

    versions = defaultdict(list)
    for message in await (await stream()).messages():
        versions[message.headers["ce-subject"]].append(int(message.headers["ce-resourceversion"]))
    assert versions == {resource: list(range(1, 31)) for resource in resources}


async def shards(db):
    """How many shards each relay holds."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT pid, count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid < 16"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid",
            0x6F757462,
        )
    return sorted(row["count"] for row in rows)


async def test_relays_share_the_leases_and_the_survivor_takes_them_all(bench, monkeypatch):
    monkeypatch.setattr("chassis.outbox.relay.BALANCE_EVERY_S", 0.0)
    db = await bench.database()
    other = await bench.database(beside=db)

    async def are(*wanted):
        assert await shards(db) == list(wanted)
        return True

    await bench.relay(db)
    await eventually(lambda: are(16))
    await bench.relay(other)
    await eventually(lambda: are(8, 8))
    bench.tasks[0].cancel()
    await eventually(lambda: are(16))


async def test_a_transaction_that_commits_late_with_an_early_id_is_published_too(bench, stream):
    db = await bench.database()
    await bench.relay(db)

    token = current_call.set(Call("Test/Slow", Principal("agent:alice")))
    async with db.transaction() as slow:
        slow.record(bench.opened("cases/slow"), version=1)
        await bench.open(db, *[f"cases/{n}" for n in range(5)])
        await eventually(lambda: all_published(db))
    current_call.reset(token)
    await eventually(lambda: all_published(db))

    assert await (await stream()).resources() == [*[f"cases/{n}" for n in range(5)], "cases/slow"]


async def test_versions_of_one_resource_keep_their_order_when_its_ids_do_not(bench, stream):
    """A transaction that waited for a row lock has an older id than the one that it waited for."""
    db = await bench.database()
    with bench.acting():
        async with db.transaction() as waited:
            waited.record(bench.opened("cases/1"), version=2)
            await bench.open(db, "cases/1", version=1)
    await bench.relay(db)
    await eventually(lambda: all_published(db))

    messages = await (await stream()).messages()
    assert [message.headers["ce-resourceversion"] for message in messages] == ["1", "2"]


async def test_a_fact_that_the_stream_refuses_holds_back_its_own_resource_only(bench, stream, infrastructure):
    db = await bench.database()
    await bench.open(db, "cases/large")
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute("UPDATE outbox SET data = decode(repeat('00', 300000), 'hex')")
    await bench.open(db, "cases/large", version=2)
    await bench.open(db, *[f"cases/{n}" for n in range(40)])
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute("UPDATE outbox SET shard = 0")
    await bench.relay(db)

    async def two_left():
        assert await unpublished(db) == 2
        return True

    await eventually(two_left)
    assert sorted(await (await stream()).resources()) == sorted(f"cases/{n}" for n in range(40))


async def test_what_was_published_and_not_marked_is_published_once(bench, stream):
    db = await bench.database()
    await bench.relay(db)
    await bench.open(db, "cases/1", "cases/2")
    await eventually(lambda: all_published(db))
    async with db.connection() as connection:  # as if the relay had died before it could mark them
        await connection.execute("UPDATE outbox SET published_at = NULL")

    db.on_facts()
    await eventually(lambda: all_published(db))

    assert await (await stream()).resources() == ["cases/1", "cases/2"]


async def test_a_poke_wakes_the_replica_that_holds_the_shard(bench, monkeypatch):
    monkeypatch.setattr("chassis.outbox.relay.POLL_IDLE_S", 3600.0)
    monkeypatch.setattr("chassis.outbox.relay.POLL_BUSY_S", 3600.0)
    monkeypatch.setattr("chassis.outbox.relay.BALANCE_EVERY_S", 0.0)
    db = await bench.database()
    other = await bench.database(beside=db)
    await bench.relay(db)
    await bench.relay(other)

    async def shared():
        db.on_facts()  # without a poll only this makes them look at the shards
        other.on_facts()
        return await shards(db) == [8, 8]

    await eventually(shared)
    await bench.open(db, *[f"cases/{n}" for n in range(40)])

    await eventually(lambda: all_published(db))


@pytest.mark.parametrize("shard", ["shard", "3"])
async def test_a_backlog_is_published_without_a_pause_however_it_is_spread(
    bench, monkeypatch, infrastructure, shard
):
    monkeypatch.setattr("chassis.outbox.relay.POLL_IDLE_S", 3600.0)
    monkeypatch.setattr("chassis.outbox.relay.POLL_BUSY_S", 3600.0)
    db = await bench.database()
    await bench.open(db, *[f"cases/{n % 500}" for n in range(2000)], together=True)
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute(f"UPDATE outbox SET shard = {shard}")
    await bench.relay(db)

    await eventually(lambda: all_published(db))

    connection = await bench.broker(Declaration("cases"))
    assert (await connection.js.stream_info("CASES")).state.messages == 2000


async def test_publishing_is_a_trace_of_its_own_linked_to_the_one_that_recorded_the_fact(
    bench, stream, spans
):
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    db = await bench.database()
    await bench.relay(db)
    with bench.acting(traceparent=traceparent):
        async with db.transaction() as tx:
            tx.record(bench.opened("cases/1"), version=1)
    await eventually(lambda: all_published(db))

    [message] = await (await stream()).messages()
    assert message.headers["traceparent"] == traceparent
    [publish] = [span for span in spans if span.name == "publish cases"]
    assert [f"{link.context.trace_id:032x}" for link in publish.links] == ["0af7651916cd43dd8448eb211c80319c"]
    assert publish.parent is None


async def test_what_is_not_published_is_counted_since_the_first(bench):
    db = await bench.database()
    assert await heartbeat.unpublished(db) == (0, None)
    await bench.open(db, "cases/1")
    between = db.clock.now()
    await bench.open(db, "cases/2", "cases/3")
    count, oldest = await heartbeat.unpublished(db)
    assert (count, oldest <= between) == (3, True)
