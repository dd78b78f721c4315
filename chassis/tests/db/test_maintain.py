import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import ids
from chassis.db.maintain import MAKING, keep, make_partitions
from chassis.db.schema import AUDIT_DAYS, CAUSES_DAYS, INBOX_DAYS, OUTBOX_DAYS
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually

DAY = timedelta(days=1)


def today():
    """The database's, which makes and drops the days."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
async def database(database, infrastructure):
    """Makes databases without the partitions that all others have from the start."""

    async def make(**how):
        db = await database(**how)
        async with infrastructure.superuser(db._url) as connection:
            for table in ("outbox", "inbox", "causes", "audit"):
                for each in await partitions(db, table) - {"default"}:
                    await connection.execute(f"DROP TABLE {table}_{each}")
        return db

    return make


@pytest.fixture
def made(infrastructure):
    """Makes the partition of a day of which nobody but the owner decides."""

    async def make(db, table, day):
        async with infrastructure.superuser(db._url) as connection:
            await connection.execute("SET ROLE sample_owner")
            await connection.execute(
                f"CREATE TABLE {name(table, day)} PARTITION OF {table}"
                f" FOR VALUES FROM ('{ids.floor(day)}') TO ('{ids.floor(day + DAY)}')"
            )

    return make


def name(table, day):
    return f"{table}_{day:%Y%m%d}"


def id_at(at):
    """An id of that moment, also when the process has made later ones."""
    return UUID(int=ids.floor(at).int | random.getrandbits(62))


async def partitions(db, table):
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass", table
        )
    return {row["name"].removeprefix(f"{table}_") for row in rows}


async def fact(db, at, published=True, event_id=None):
    event_id = event_id or id_at(at)
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


def days(*days):
    return {"default", *(f"{day:%Y%m%d}" for day in days)}


def next_months():
    first = today().replace(day=1)
    second = (first + 31 * DAY).replace(day=1)
    return first, second, (second + 31 * DAY).replace(day=1)


async def test_today_and_the_next_two_days_or_months_have_partitions(database):
    db = await database()

    await keep(db)
    await keep(db)

    next_days = days(today(), today() + DAY, today() + 2 * DAY)
    assert await partitions(db, "outbox") == next_days
    assert await partitions(db, "inbox") == next_days
    months = days(*next_months())
    assert await partitions(db, "causes") == months
    assert await partitions(db, "audit") == months


async def test_who_starts_while_another_replica_makes_partitions_does_not_go_on_without_them(database):
    first = await database()
    second = await database(beside=first)
    async with first.connection() as at_it:
        await at_it.execute("SELECT pg_advisory_lock($1)", MAKING)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await make_partitions(second)
        await at_it.execute("SELECT pg_advisory_unlock($1)", MAKING)

    await make_partitions(second)
    assert await partitions(second, "audit") == days(*next_months())


@pytest.mark.parametrize("wrong_by", [-400 * DAY, 400 * DAY])
async def test_a_service_whose_clock_is_wrong_makes_and_drops_no_other_days(database, wrong_by):
    db = await database(clock=ManualClock(today() + wrong_by))

    await keep(db)

    assert await partitions(db, "outbox") == days(today(), today() + DAY, today() + 2 * DAY)


async def test_what_came_before_its_partition_is_moved_into_it(database):
    db = await database()
    ends = [ids.floor(today() + 3 * DAY), ids.floor(today())]
    for event_id in (ends[0], ends[1], UUID(int=ends[0].int - 1), UUID(int=ends[1].int - 1)):
        await fact(db, today(), event_id=event_id)
    assert await count(db, "outbox", "outbox_default") == 4

    await keep(db)

    assert await count(db, "outbox", "outbox_default") == 2  # the first id after these days, the last before
    assert await count(db, "outbox", name("outbox", today())) == 1
    assert await count(db, "outbox", name("outbox", today() + 2 * DAY)) == 1


@pytest.mark.parametrize(("table", "keeping"), [("outbox", OUTBOX_DAYS), ("inbox", INBOX_DAYS)])
async def test_a_partition_goes_when_its_day_is_past_keeping(database, made, table, keeping):
    db = await database()
    kept, gone = today() - keeping * DAY, today() - (keeping + 1) * DAY
    for day in (kept, gone):
        await made(db, table, day)

    await keep(db)

    left = await partitions(db, table)
    assert f"{kept:%Y%m%d}" in left
    assert f"{gone:%Y%m%d}" not in left


@pytest.mark.parametrize(
    ("table", "days"),
    [("outbox", OUTBOX_DAYS), ("inbox", INBOX_DAYS), ("causes", CAUSES_DAYS), ("audit", AUDIT_DAYS)],
)
async def test_a_service_cannot_remove_what_is_to_be_kept(database, table, days):
    """Nor whoever broke into it: the functions with which it does have the rights of the tables' owner."""
    db = await database()
    await keep(db)
    before = await partitions(db, table)
    async with db.connection() as connection:
        for day in (today() + DAY, today(), today() - (days - 1) * DAY):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"is kept for {days} days"):
                await connection.fetchval("SELECT drop_partition($1, $2)", table, day.date())
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"is kept for {days} days"):
                await connection.fetchval("SELECT forget($1, $2, 10)", table, ids.floor(day + DAY))
        past = ids.floor(today() - days * DAY)
        assert await connection.fetchval("SELECT forget($1, $2, 10)", table, past) == 0
    assert await partitions(db, table) == before


@pytest.mark.parametrize(("table", "keeping"), [("causes", CAUSES_DAYS), ("audit", AUDIT_DAYS)])
async def test_a_month_goes_when_all_of_it_is_past_keeping(database, infrastructure, table, keeping):
    db = await database()
    gone = today() - (keeping + 31) * DAY
    kept = gone + DAY
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute("SET ROLE sample_owner")
        for day, end in ((gone, kept), (kept, kept + 31 * DAY)):
            await connection.execute(
                f"CREATE TABLE {name(table, day)} PARTITION OF {table}"
                f" FOR VALUES FROM ('{ids.floor(day)}') TO ('{ids.floor(end)}')"
            )

    await keep(db)

    left = await partitions(db, table)
    assert f"{kept:%Y%m%d}" in left
    assert f"{gone:%Y%m%d}" not in left


async def test_a_month_of_the_audit_is_append_only_by_itself(database, infrastructure):
    db = await database()
    await keep(db)
    month = name("audit", next_months()[0])
    async with infrastructure.superuser(db._url) as connection:
        for sql in (f"DELETE FROM {month}", f"UPDATE {month} SET actor = ''", f"TRUNCATE {month}"):
            with pytest.raises(asyncpg.RestrictViolationError, match="is append-only"):
                await connection.execute(sql)


async def test_a_fact_that_was_never_published_is_kept_however_old(database, made):
    db = await database()
    await fact(db, today() - 40 * DAY, published=False)
    await made(db, "outbox", today() - 20 * DAY)
    await fact(db, today() - 20 * DAY, published=False)

    await keep(db)

    assert await count(db, "outbox") == 2


async def test_what_no_partition_has_taken_is_forgotten_when_past_keeping(database):
    db = await database()
    async with db.connection() as connection:
        for at in (today() - 31 * DAY, today() - 29 * DAY):
            await connection.execute(
                "INSERT INTO inbox VALUES ($1, 'c', 's', 't', 'r', $2, 'a', 'c', $1, '')", id_at(at), at
            )

    await keep(db)

    assert await count(db, "inbox") == 1


async def test_stored_responses_go_after_seven_days(database):
    db = await database()
    async with db.connection() as connection:
        for at in (today() - 8 * DAY, today() - 6 * DAY):
            await connection.execute("INSERT INTO idempotency VALUES ($1, 'm', '', '', '', $2)", uuid4(), at)

    await keep(db)

    assert await count(db, "idempotency") == 1


async def test_what_is_missing_is_kept_until_applied_and_what_no_release_knows_for_thirty_days(
    database,
):
    db = await database()
    async with db.connection() as connection:
        for state, error in (("DEAD", "Malformed"), ("PARKED", "Aborted"), ("PARKED", "")):
            await connection.execute(
                "INSERT INTO parked VALUES"
                " ($1, 'c', $2, 's', 's', 't', 'r', '', NULL, '{}', '', 1, $3, '', $4, $4)",
                uuid4(), state, error, today() - 31 * DAY,
            )  # fmt: skip

    await keep(db)

    async with db.connection() as connection:
        kept = await connection.fetch("SELECT state, error FROM parked ORDER BY state")
    assert [tuple(row) for row in kept] == [("DEAD", "Malformed"), ("PARKED", "Aborted")]


async def test_one_replica_at_a_time_looks_after_the_partitions(database):
    db = await database()

    await asyncio.gather(*(keep(db) for _ in range(4)))

    assert len(await partitions(db, "outbox")) == 4


async def test_writers_of_other_days_are_not_held_up(database, infrastructure):
    db = await database()
    await keep(db)
    missing = name("outbox", today() + 2 * DAY)
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute(f"DROP TABLE {missing}")
    async with db.connection() as writer:
        writing = writer.transaction()
        await writing.start()
        await writer.execute(
            "INSERT INTO outbox VALUES ($1, 0, 's', 't', 'r', 1, '', $2, 'a', 'c', $1, '')",
            id_at(today()),
            today(),
        )

        await keep(db)

        assert missing.removeprefix("outbox_") in await partitions(db, "outbox")
        await writing.commit()


async def test_a_read_of_one_day_touches_no_other_partition(database):
    db = await database()
    await keep(db)
    event_id = await fact(db, today())

    async def plan():
        async with db.connection() as connection:
            rows = await connection.fetch(f"EXPLAIN SELECT * FROM outbox WHERE id = '{event_id}'")
        return "\n".join(row[0] for row in rows)

    text = await eventually(plan)
    assert name("outbox", today()) in text
    assert "outbox_default" not in text
