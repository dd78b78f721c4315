from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from chassis.events.declarations import Declaration
from chassis.outbox.publisher import republish
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)


async def all_published(db):
    async with db.connection() as connection:
        return await connection.fetchval("SELECT bool_and(published_at IS NOT NULL) FROM outbox")


async def test_what_a_stream_has_lost_is_published_again_in_order(bench, stream):
    db = await bench.database()
    await bench.relay(db)
    resources = [f"cases/{n}" for n in range(1200)]
    await bench.open(db, *resources, together=True)
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))
    await connection.js.delete_stream("CASES")
    connection = await bench.broker(Declaration("cases"), pending_size=0)

    sent = await republish(db, connection, db.clock.now() - HOUR, db.clock.now() + HOUR)

    assert sent == 1200
    assert sorted(await (await stream()).resources()) == sorted(resources)


async def test_versions_of_a_resource_are_published_again_in_their_order(bench, stream):
    db = await bench.database()
    await bench.relay(db)
    for version in range(1, 6):
        await bench.open(db, "cases/1", version=version)
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))
    await connection.js.delete_stream("CASES")
    connection = await bench.broker(Declaration("cases"))

    await republish(db, connection, db.clock.now() - HOUR, db.clock.now() + HOUR)

    messages = await (await stream()).messages()
    assert [m.headers["ce-resourceversion"] for m in messages] == ["1", "2", "3", "4", "5"]


async def test_what_the_stream_still_has_is_not_doubled(bench, stream):
    db = await bench.database()
    await bench.relay(db)
    await bench.open(db, "cases/1", "cases/2")
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))

    await republish(db, connection, db.clock.now() - HOUR, db.clock.now() + HOUR)

    assert await (await stream()).resources() == ["cases/1", "cases/2"]


async def test_publishing_again_leaves_nothing_at_the_broker(bench):
    db = await bench.database()
    await bench.relay(db)
    await bench.open(db, "cases/1", "cases/2", "cases/3")
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))
    before = len(connection.client._subs)

    for _ in range(3):
        await republish(db, connection, db.clock.now() - HOUR, db.clock.now() + HOUR)

    assert len(connection.client._subs) == before


async def test_only_the_time_asked_for_is_published_again(bench):
    db = await bench.database()
    await bench.relay(db)
    await bench.open(db, "cases/1")
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))

    assert await republish(db, connection, db.clock.now() - 2 * HOUR, db.clock.now() - HOUR) == 0
    assert await republish(db, connection, db.clock.now() + HOUR, db.clock.now() + 2 * HOUR) == 0


async def test_a_broker_without_the_stream_is_an_error(bench):
    db = await bench.database()
    await bench.relay(db)
    await bench.open(db, "cases/1")
    await eventually(lambda: all_published(db))
    connection = await bench.broker(Declaration("cases"))
    await connection.js.delete_stream("CASES")

    with pytest.raises(Unavailable) as refused:
        await republish(db, connection, db.clock.now() - HOUR, db.clock.now() + HOUR)
    assert refused.value.reason == "BROKER_UNAVAILABLE"
