import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import ids
from chassis.clock import ManualClock
from chassis.db.maintain import INBOX_DAYS, OUTBOX_DAYS, keep
from chassis.testing.wait import eventually

NOON = datetime(2024, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def id_at(at):
    """An id of that moment, also when the process has made later ones."""
    return UUID(int=ids.floor(at).int | random.getrandbits(62))


async def partitions(db, table):
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass", table
        )
    return {row["name"].removeprefix(f"{table}_") for row in rows}


async def fact(db, at, published=True):
    event_id = id_at(at)
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO outbox VALUES ($1, 0, 's', 't', 'r', 1, '', $2, 'a', 'c', $1, '', NULL, $3)",
            event_id,
            at,
            at if published else None,
        )
    return event_id


async def count(db, table, partition=None):
    async with db.connection() as connection:
        where = f"WHERE tableoid = '{partition}'::regclass" if partition else ""
        return await connection.fetchval(f"SELECT count(*) FROM {table} {where}")


async def test_today_and_tomorrow_have_partitions(database):
    db = await database(clock=ManualClock(NOON))

    await keep(db)
    await keep(db)

    assert await partitions(db, "outbox") == {"default", "20240302", "20240303"}
    assert await partitions(db, "inbox") == {"default", "20240302", "20240303"}


async def test_what_came_before_its_partition_is_moved_into_it(database):
    db = await database(clock=ManualClock(NOON))
    await fact(db, NOON)
    assert await count(db, "outbox", "outbox_default") == 1

    await keep(db)

    assert await count(db, "outbox", "outbox_default") == 0
    assert await count(db, "outbox", "outbox_20240302") == 1


async def test_an_outbox_partition_goes_after_fourteen_days(database):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await keep(db)
    await fact(db, NOON)

    clock.advance(14 * DAY)
    await keep(db)
    assert await count(db, "outbox") == 1
    clock.advance(DAY)
    await keep(db)

    assert await count(db, "outbox") == 0
    assert "20240302" not in await partitions(db, "outbox")


@pytest.mark.parametrize(("table", "days"), [("outbox", OUTBOX_DAYS), ("inbox", INBOX_DAYS)])
async def test_a_service_cannot_remove_what_is_to_be_kept(database, table, days):
    """Nor whoever broke into it: the functions with which it does have the rights of the tables' owner."""
    db = await database()
    await keep(db)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with db.connection() as connection:
        for day in (today + DAY, today, today - (days - 1) * DAY):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"is kept for {days} days"):
                await connection.fetchval("SELECT drop_partition($1, $2)", table, day.date())
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"is kept for {days} days"):
                await connection.fetchval("SELECT forget($1, $2, 10)", table, ids.floor(day + DAY))
        past = ids.floor(today - days * DAY)
        assert await connection.fetchval("SELECT forget($1, $2, 10)", table, past) == 0
    assert await partitions(db, table) == {"default", f"{today:%Y%m%d}", f"{today + DAY:%Y%m%d}"}


async def test_a_fact_that_was_never_published_is_kept_however_old(database):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await fact(db, NOON - 40 * DAY, published=False)
    await keep(db)
    await fact(db, NOON, published=False)

    clock.advance(20 * DAY)
    await keep(db)

    assert await count(db, "outbox") == 2


async def test_the_inbox_remembers_for_thirty_days(database):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await keep(db)
    async with db.connection() as connection:
        for at in (NOON - 5 * DAY, NOON):
            await connection.execute(
                "INSERT INTO inbox VALUES ($1, 'c', 's', 't', 'r', $2, 'a', 'c', $1, '')", id_at(at), at
            )

    clock.advance(30 * DAY)
    await keep(db)
    assert await count(db, "inbox") == 1
    clock.advance(DAY)
    await keep(db)

    assert await count(db, "inbox") == 0


async def test_stored_responses_go_after_seven_days(database):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    async with db.connection() as connection:
        for at in (NOON - 8 * DAY, NOON - 6 * DAY):
            await connection.execute("INSERT INTO idempotency VALUES ($1, 'm', '', '', '', $2)", uuid4(), at)

    await keep(db)

    assert await count(db, "idempotency") == 1


async def test_what_is_missing_is_kept_until_applied_and_what_no_release_knows_for_thirty_days(
    database,
):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    async with db.connection() as connection:
        for state, error in (("DEAD", "Malformed"), ("PARKED", "Aborted"), ("PARKED", "")):
            await connection.execute(
                "INSERT INTO parked VALUES"
                " ($1, 'c', $2, 's', 's', 't', 'r', '', NULL, '{}', '', 1, $3, '', $4, $4)",
                uuid4(), state, error, NOON,
            )  # fmt: skip

    clock.advance(31 * DAY)
    await keep(db)

    async with db.connection() as connection:
        kept = await connection.fetch("SELECT state, error FROM parked ORDER BY state")
    assert [tuple(row) for row in kept] == [("DEAD", "Malformed"), ("PARKED", "Aborted")]


async def test_one_replica_at_a_time_looks_after_the_partitions(database):
    db = await database(clock=ManualClock(NOON))

    await asyncio.gather(*(keep(db) for _ in range(4)))

    assert await partitions(db, "outbox") == {"default", "20240302", "20240303"}


async def test_writers_of_other_days_are_not_held_up(database):
    clock = ManualClock(NOON)
    db = await database(clock=clock)
    await keep(db)
    async with db.connection() as writer:
        writing = writer.transaction()
        await writing.start()
        event_id = id_at(NOON)
        await writer.execute(
            "INSERT INTO outbox VALUES ($1, 0, 's', 't', 'r', 1, '', $2, 'a', 'c', $1, '')", event_id, NOON
        )

        clock.advance(DAY)
        await keep(db)

        assert "20240304" in await partitions(db, "outbox")
        await writing.commit()


async def test_a_read_of_one_day_touches_no_other_partition(database):
    db = await database(clock=ManualClock(NOON))
    await keep(db)
    event_id = await fact(db, NOON)

    async def plan():
        async with db.connection() as connection:
            rows = await connection.fetch(f"EXPLAIN SELECT * FROM outbox WHERE id = '{event_id}'")
        return "\n".join(row[0] for row in rows)

    text = await eventually(plan)
    assert "outbox_20240302" in text
    assert "outbox_default" not in text
