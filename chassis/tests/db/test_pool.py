"""The pool lends what works, in turn, and loses nothing, whoever leaves and whatever breaks."""

import asyncio
import random

import asyncpg
import pytest

from chassis.db import pool as pooling
from chassis.errors import Aborted, Unavailable
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

MOST = 8  # of `direct`


async def waiting(pool, count=1):
    """Tasks in line, in the order in which they came."""
    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(pool.acquire()))
        await eventually(lambda number=number: len(pool._waiting) == number + 1)
    return tasks


async def all_lent(pool):
    return [await pool.acquire() for _ in range(MOST)]


def whole(pool):
    """Whether every place is accounted for: free, idle or lent."""
    return pool._places + len(pool._idle) + len(pool._lent) == MOST


async def test_the_last_to_come_back_is_the_first_to_go(direct):
    pool = direct._pool
    first, second = await pool.acquire(), await pool.acquire()
    pool.release(first)
    pool.release(second)
    assert await pool.acquire() is second
    pool.release(second)


async def test_who_came_first_is_served_first_and_nobody_slips_in(direct):
    pool = direct._pool
    lent = await all_lent(pool)
    line = await waiting(pool, 3)
    pool.release(lent[0])
    late = asyncio.create_task(pool.acquire())
    assert await line[0] is lent[0]
    for session in lent[1:4]:
        pool.release(session)
    assert [await each for each in (*line[1:], late)] == lent[1:4]


async def test_who_leaves_the_line_in_the_moment_of_their_turn_passes_it_on(direct):
    pool = direct._pool
    lent = await all_lent(pool)
    gone, next_one, after = await waiting(pool, 3)
    pool.release(lent[0])  # given to the first, who has not woken
    gone.cancel()
    assert await next_one is lent[0]
    lent[1].terminate()
    pool.release(lent[1])  # room for another, which the next may make
    after.cancel()
    await asyncio.wait({gone, after})
    assert whole(pool)
    assert pool._places == 1


@pytest.mark.parametrize("limit", ["idle", "old"])
async def test_what_is_idle_for_long_or_old_is_ended(direct, monkeypatch, limit):
    pool = direct._pool
    lent = [await pool.acquire() for _ in range(4)]
    if limit == "old":
        lent[0].until = 0.0
        pool.release(lent[0])
        assert lent[0].is_closed()
        assert (pool.lent, pool._places) == (3, MOST - 3)
        return
    monkeypatch.setattr(pooling, "IDLE_S", -1.0)
    for session in lent:
        pool.release(session)
    assert [session.is_closed() for session in lent] == [True, True, False, False]
    assert whole(pool)


async def test_a_query_that_is_cancelled_and_a_transaction_left_open_are_over_before_the_next_use(direct):
    pool = direct._pool
    session = await pool.acquire()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await session.execute("BEGIN; SELECT pg_sleep(4)")
    pool.release(session)
    assert (pool.idle, pool.lent) == (1, 1)
    await eventually(lambda: pool.idle == 2)
    again = await pool.acquire()
    assert again is session
    assert not again.is_in_transaction()
    assert await again.fetchval("SELECT 1") == 1
    pool.release(again)


async def test_nothing_is_lent_by_a_pool_that_is_closed_and_who_waits_is_told(direct):
    pool = direct._pool
    lent = await all_lent(pool)
    (line,) = await waiting(pool)
    closing = asyncio.create_task(direct.close())
    with pytest.raises(asyncpg.InterfaceError, match="the pool is closed"):
        await line
    for session in lent:
        assert not session.is_closed()
        pool.release(session)
    await closing
    assert all(session.is_closed() for session in lent)
    with pytest.raises(Unavailable):
        async with direct.connection():
            pass


async def test_what_is_not_given_back_in_time_is_ended_with_the_pool(direct):
    pool = direct._pool
    session = await pool.acquire()
    await pool.close(0.01)
    assert session.is_closed()
    pool.release(session)
    assert pool.lent == 0


async def test_a_place_is_not_lost_with_a_connection_that_cannot_be_made(direct, monkeypatch):
    pool, made = direct._pool, direct._pool._connect
    monkeypatch.setattr(pool, "_connect", refuse)
    held = [await pool.acquire() for _ in range(2)]
    for _ in range(MOST):
        with pytest.raises(ConnectionRefusedError):
            await pool.acquire()
    monkeypatch.setattr(pool, "_connect", made)
    held += [await pool.acquire() for _ in range(MOST - 2)]
    assert len(set(held)) == MOST


async def refuse():
    raise ConnectionRefusedError


async def test_a_statement_is_prepared_once_in_each_connection(direct):
    statement = Sql("SELECT $1::int + 1 AS next")
    for number in range(3):
        assert [tuple(row) for row in await direct.fetch(statement, [number])] == [(number + 1,)]
    async with direct.connection() as connection:
        (row,) = await connection.fetch(
            "SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements WHERE statement = $1",
            statement.sql,
        )
    assert row["runs"] == 3


async def test_what_a_migration_changed_is_prepared_anew(direct, acting, infrastructure):
    """Alone at once; in a transaction by the next try, whichever connection that has."""
    statement = Sql("SELECT * FROM changing")
    async with infrastructure.superuser(direct._url) as owner:
        await owner.execute("CREATE TABLE changing (n int); GRANT SELECT ON changing TO public")
        await owner.execute("INSERT INTO changing VALUES (1)")
        async with direct.connection() as one, direct.connection() as other:
            for each in (one, other):
                assert await each.rows(statement.sql, []) == [(1,)]
        await owner.execute("ALTER TABLE changing ALTER n TYPE text")
        assert await direct.fetch(statement, []) == [("1",)]
        await owner.execute("ALTER TABLE changing ALTER n TYPE bigint USING n::bigint")
    with acting():
        with pytest.raises(Aborted):
            async with direct.transaction() as tx:
                await tx.fetch(statement, [])
        async with direct.transaction() as tx, direct.transaction() as beside:
            assert await tx.fetch(statement, []) == [(1,)]
            assert await beside.fetch(statement, []) == [(1,)]


async def test_a_transaction_that_is_over_touches_no_connection(direct, acting):
    with acting():
        async with direct.transaction() as tx:
            pass
        with pytest.raises(AttributeError):
            await tx.fetch(Sql("SELECT 1"), [])


@pytest.mark.parametrize("seed", range(5))
async def test_no_connection_is_lost_or_shared_whatever_is_cancelled_or_killed(direct, infrastructure, seed):
    """Many at once, who leave at any await; backends are ended under them; then every place is there."""
    chance, pool = random.Random(seed), direct._pool
    used = set()

    async def use(number):
        try:
            async with direct.connection() as connection:
                assert connection not in used
                used.add(connection)
                try:
                    (row,) = await connection.rows(
                        "SELECT $1::int, pg_sleep($2::float8)", [number, chance.random() / 200]
                    )
                    assert row[0] == number  # nobody else's answer
                    await asyncio.sleep(0)
                finally:
                    used.remove(connection)
        except Unavailable:
            pass  # its backend was ended

    tasks = []
    async with infrastructure.superuser(direct._url) as killer:
        for number in range(300):
            tasks.append(asyncio.create_task(use(number)))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() / 500)
            if chance.random() < 0.4:
                chance.choice(tasks).cancel()
            if chance.random() < 0.03:
                await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND datname = current_database() ORDER BY random() LIMIT 1"
                )
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert not [each for each in ended if isinstance(each, Exception)]
    await eventually(lambda: pool.lent == 0)
    assert whole(pool)
    lent = [await pool.acquire() for _ in range(MOST)]
    for session in lent:
        assert await session.fetchval("SELECT 1") == 1
        pool.release(session)
