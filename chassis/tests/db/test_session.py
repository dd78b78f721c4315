"""The versions of PostgreSQL that are promised work; poolers work, or are refused with a sentence."""

from types import SimpleNamespace

import pytest

from chassis.db.session import GUARDS, UnsuitableDatabase, guard, refuse_shared


class Old:
    """A session with a server of another version."""

    def __init__(self, major):
        self.major = major
        self.asked = []

    def get_server_version(self):
        return SimpleNamespace(major=self.major)

    async def fetchrow(self, sql):
        self.asked.append(sql)
        return {"pid": 1, "backend_start": None}


@pytest.mark.parametrize(("major", "knows"), [(15, False), (16, False), (17, True), (18, True)])
async def test_a_guard_is_set_where_the_server_knows_it(major, knows):
    session = Old(major)
    await guard(session, GUARDS)
    (sql,) = session.asked
    assert "statement_timeout" in sql
    assert ("transaction_timeout" in sql.replace("idle_in_transaction", "")) is knows


async def test_a_server_that_is_too_old_is_refused_with_a_sentence():
    with pytest.raises(UnsuitableDatabase, match="PostgreSQL 14; at least 15 is needed"):
        await guard(Old(14), GUARDS)


async def test_the_guards_hold_in_the_pool_and_outside(direct):
    dedicated = await direct.dedicated()
    async with direct.connection() as pooled:
        for session in (pooled, dedicated):
            found = {name: await session.fetchval(f"SHOW {name}") for name in GUARDS}
            assert found == {name: value for name, (value, _) in GUARDS.items()}
    await dedicated.close()


async def test_what_every_server_has_alike_is_asked_for_by_one_session_for_all(direct):
    """The driver asks what arrays are anew in each session, which costs the server more than to begin it."""
    known = "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ '^\\s*WITH RECURSIVE typeinfo'"
    for _ in range(2):
        session = await direct.dedicated()
        assert await session.fetchval("SELECT $1::uuid[]", []) == []
        assert await session.fetchval("SELECT $1::int8[]", [1, 2]) == [1, 2]
        asked = await session.fetchval(known)
        await session.close()
    assert asked == 0


async def test_nothing_that_a_pooler_would_refuse_is_asked_for_at_the_start(proxied):
    """PgBouncer refuses to connect when the first message sets what it does not know."""
    db, proxy = proxied
    heard = []
    proxy.cuts = lambda data: heard.append(data)
    await (await db.dedicated()).close()
    (startup,) = [data for data in heard if b"application_name" in data]
    names = set(startup[8:].split(b"\0")[:-2:2])
    assert names == {b"user", b"database", b"application_name", b"client_encoding"}


async def test_a_pooler_that_shares_sessions_is_refused_with_a_sentence(direct):
    first, second = await direct.dedicated(), await direct.dedicated()
    await refuse_shared(first, second)
    with pytest.raises(UnsuitableDatabase, match="pool_mode = session"):
        await refuse_shared(first, first)
    second.backend = first.backend  # it has been moved since it was made
    with pytest.raises(UnsuitableDatabase):
        await refuse_shared(first, second)
    for each in (first, second):
        await each.close()
