"""A commit means what it says, whatever happens to the connection: decided on the real database."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest
import sqlalchemy as sa

from chassis.db import outcome
from chassis.db.statement import Statement
from chassis.errors import FailedPrecondition, OutcomeUnknown, ResourceExhausted, Unavailable
from chassis.events.registry import FACT_MAX_BYTES
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

READ = Sql("SELECT 1")
EFFECT = "INSERT INTO notes (text) VALUES ('done')"


def once(*words):
    """Cuts at the first message that holds one of `words`."""
    cut = []

    def now(data):
        if not cut and any(word in data for word in words):
            cut.append(data)
            return True
        return False

    return now


async def rows(db, sql, *args):
    async with db.connection() as connection:
        return await connection.fetch(sql, *args)


async def notes(db):
    return [row["text"] for row in await rows(db, "SELECT text FROM notes")]


async def write(db, acting, first=None):
    with acting("Test/Write"):
        async with db.transaction() as tx:
            if first is not None:
                await tx.fetch(Sql(first), [])
            await tx.fetch(Sql(EFFECT), [])
            done = []
            tx.after_commit(lambda: done.append(True))
    return done


async def transact(db, acting, work, **call):
    with acting("Test/Record", **call):
        async with db.transaction() as tx:
            await work(tx)


async def record(db, acting, fact, **call):
    async def recorded(tx):
        tx.record(fact, version=1)

    await transact(db, acting, recorded, **call)


async def test_a_commit_whose_answer_is_lost_is_found_to_be_done(direct, proxied, acting):
    db, proxy = proxied
    proxy.cuts = once(b"COMMIT")
    assert await write(db, acting) == [True]
    assert await notes(direct) == ["done"]
    assert [row["void"] for row in await rows(direct, "SELECT void FROM audit")] == [False]


async def test_a_transaction_of_one_statement_whose_answer_is_lost_is_found_to_be_done(
    direct, proxied, acting, opened
):
    db, proxy = proxied
    await record(db, acting, opened("cases/0"))  # the statement is prepared from here on
    proxy.cuts = once(b"cases/1")
    await record(db, acting, opened("cases/1"))
    found = await rows(direct, "SELECT resource FROM outbox ORDER BY id")
    assert [row["resource"] for row in found] == ["cases/0", "cases/1"]


async def test_a_write_that_still_waits_for_a_lock_when_its_connection_breaks_never_happens(
    direct, proxied, acting, opened, infrastructure
):
    """The server is not told that nobody listens, and would commit when the lock is released."""
    db, proxy = proxied
    await record(db, acting, opened("cases/0"))
    async with infrastructure.superuser(direct._url) as holder:
        await holder.execute("BEGIN; LOCK TABLE outbox IN EXCLUSIVE MODE")
        proxy.cuts = once(b"cases/1")
        with pytest.raises(Unavailable) as refusal:
            await record(db, acting, opened("cases/1"), request_id="r-1")
        await holder.execute("ROLLBACK")
    assert refusal.value.reason == "DATABASE_UNAVAILABLE"

    async def idle():
        sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return not await rows(direct, sql)

    await eventually(idle)
    assert len(await rows(direct, "SELECT id FROM outbox")) == 1
    (void,) = await rows(direct, "SELECT actor, request_id FROM audit WHERE void")
    assert tuple(void) == ("agent:alice", "r-1")


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
async def test_the_decision_waits_for_a_twin_that_still_runs_and_cannot_be_ended(
    direct, acting, monkeypatch, end
):
    """Its process is not ours to end, for example: then the key alone decides."""
    monkeypatch.setattr(outcome, "_END", "SELECT $1::int, $2::timestamptz")
    with acting():
        async with direct.transaction() as tx:
            act = next(iter(tx._acts.values()))
            backend = tx._backend
    async with direct.connection() as twin:
        await twin.execute("BEGIN")
        await twin.execute(
            "INSERT INTO audit SELECT $1, now(), '', '', '', '', '', '', '', NULL, '', '', '', '', false",
            act.id,
        )
        deciding = asyncio.ensure_future(outcome.committed(direct, backend, act, tx.now))

        async def waits():
            sql = (
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO audit%'"
            )
            return await rows(direct, sql)

        await eventually(waits)
        assert not deciding.done()
        await twin.execute(end)
    assert await deciding is (end == "COMMIT")
    assert await outcome.committed(direct, backend, act, tx.now) is (end == "COMMIT")  # asked again, the same


async def test_what_was_decided_to_be_void_cannot_commit_later(direct, acting):
    async with direct.connection() as connection:
        with acting():
            async with direct.transaction() as tx:
                await tx.fetch(Sql(EFFECT), [])
                act = next(iter(tx._acts.values()))
                nobody = tx._backend._replace(pid=0)
                assert not await outcome.committed(direct, nobody, act, tx.now)
                with pytest.raises(asyncpg.UniqueViolationError):
                    await tx.commit()
                tx._begun = False
        assert await connection.fetch("SELECT text FROM notes") == []


async def test_an_outcome_that_nobody_can_tell_is_said_to_be_unknown(direct, proxied, acting, monkeypatch):
    monkeypatch.setattr(outcome, "DECIDE_S", 0.5)
    db, proxy = proxied

    def cut_and_die(data):
        if b"COMMIT" in data:
            proxy._listener.close()
            return True
        return False

    proxy.cuts = cut_and_die
    with pytest.raises(OutcomeUnknown) as refusal:
        await write(db, acting)
    assert refusal.value.reason == "COMMIT_UNKNOWN"
    assert "request id" in refusal.value.message


async def test_a_commit_that_no_standby_has_yet_is_not_said_to_be_done(
    infrastructure, direct, proxied, acting, monkeypatch
):
    """It is there for all to read, and a failover could still take it back."""
    monkeypatch.setattr(outcome, "DECIDE_S", 2.0)
    db, proxy = proxied
    name = urlsplit(direct._url).path[1:]
    await infrastructure.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    await db.close()
    await db.open()
    await infrastructure.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await infrastructure.execute("SELECT pg_reload_conf()")

    async def commits_wait():
        """Whether the server has heard of it: a commit is not answered."""
        async with infrastructure.superuser(direct._url) as probe:
            try:
                await probe.execute(f"COMMENT ON DATABASE {name} IS 'probed'", timeout=0.2)
            except TimeoutError:
                return True
            return False

    try:
        await eventually(commits_wait)
        proxy.cuts = once(b"COMMIT")
        with pytest.raises(OutcomeUnknown):
            await write(db, acting)
        assert await notes(direct) == ["done"]
    finally:
        await infrastructure.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await infrastructure.execute("SELECT pg_reload_conf()")


async def test_a_service_needs_no_rights_beyond_its_own_to_decide(direct, acting):
    with acting():
        async with direct.transaction() as tx:
            act = next(iter(tx._acts.values()))
    session = await direct.dedicated()
    assert not await session.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user")
    assert not await outcome._decided(session, tx._backend, act, tx.now)
    assert not await outcome._decided(session, tx._backend, act, tx.now)
    await session.close()


async def test_a_session_that_is_ended_before_the_commit_did_nothing(direct, acting):
    async def end(tx):
        await tx.fetch(Sql(EFFECT), [])
        await rows(direct, "SELECT pg_terminate_backend($1)", tx._backend.pid)
        await tx.fetch(READ, [])

    with pytest.raises(Unavailable) as refusal:
        await transact(direct, acting, end)
    assert refusal.value.reason == "DATABASE_UNAVAILABLE"
    assert await notes(direct) == []
    await write(direct, acting)  # with another connection
    assert await notes(direct) == ["done"]


async def test_a_standby_refuses_and_the_connection_to_it_is_not_used_again(direct, acting):
    pids = set()

    async def write_there(tx):
        pids.add(tx._backend.pid)
        await tx.fetch(Sql("SET TRANSACTION READ ONLY"), [])
        await tx.fetch(Sql(EFFECT), [])

    for _ in range(2):
        with pytest.raises(Unavailable):
            await transact(direct, acting, write_there)
    assert len(pids) == 2
    assert await rows(direct, "SELECT void FROM audit") == []


async def test_a_pool_that_is_busy_is_overload_and_no_outage(direct, acting, monkeypatch):
    monkeypatch.setattr("chassis.db.database.ACQUIRE_TIMEOUT_S", 0.3)
    async with asyncio.TaskGroup() as group:
        hold = asyncio.Event()

        async def occupy():
            async with direct.connection():
                await hold.wait()

        for _ in range(8):
            group.create_task(occupy())
        await eventually(lambda: direct._pool.lent == 8)
        with pytest.raises(ResourceExhausted) as refusal:
            await rows(direct, "SELECT 1")
        assert (refusal.value.reason, refusal.value.retry_after_s) == ("OVERLOADED", 1)
        assert await direct.problem() == ""
        hold.set()


async def test_who_waited_for_a_lock_has_the_later_event_id(direct, acting, opened):
    """Ids tell the order of facts about one thing, as its versions do."""
    with acting():
        async with direct.transaction() as waited:
            with acting():
                async with direct.transaction() as went_ahead:
                    second = went_ahead.record(opened("cases/1"), version=2)
            third = waited.record(opened("cases/1"), version=3)
    assert second < third


async def test_a_fact_that_no_stream_would_take_is_refused_before_it_is_written(direct, acting, opened):
    with pytest.raises(FailedPrecondition) as refusal:
        await record(direct, acting, opened("cases/1", customer="x" * FACT_MAX_BYTES))
    assert refusal.value.reason == "FACT_TOO_LARGE"
    assert str(FACT_MAX_BYTES) in refusal.value.message
    await record(direct, acting, opened("cases/1", customer="x" * (FACT_MAX_BYTES - 100)))
    assert len(await rows(direct, "SELECT id FROM outbox")) == 1


@pytest.mark.parametrize("last", ["comes back", "is lost"])
async def test_to_wait_in_line_is_overload_also_when_a_connection_comes_back_or_is_lost_at_the_end(
    direct, last
):
    lent = [direct.connection() for _ in range(8)]
    connections = [await each.__aenter__() for each in lent]
    waiting = asyncio.create_task(rows(direct, "SELECT 1"))
    await eventually(lambda: direct._pool.in_line == 1)
    if last == "is lost":
        connections[0].terminate()
        direct._limits.end()
    await lent[0].__aexit__(None, None, None)
    direct._limits.end()
    with pytest.raises(ResourceExhausted) as refusal:
        await waiting
    assert refusal.value.reason == "OVERLOADED"
    for each in lent[1:]:
        await each.__aexit__(None, None, None)


async def test_what_is_put_off_is_written_with_the_next_statement_or_the_commit(direct, acting) -> None:
    add = Statement(sa.insert(sa.table("notes", sa.column("text"))).values(text=sa.bindparam("said")))

    async def work(tx):
        tx.also(add, ["first"])
        tx.also(add, ["second"])
        found = Sql("SELECT text FROM notes")
        assert sorted(row["text"] for row in await tx.fetch(found, [])) == ["first", "second"]
        tx.also(add, ["third"])

    await transact(direct, acting, work)
    assert sorted(await notes(direct)) == ["first", "second", "third"]
