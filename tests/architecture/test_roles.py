"""What each service's own role may not do to its own database: on every table of every service."""

from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from chassis import ids
from deploy.services import SERVICES
from rapport_testing.engines.postgres import owner_of
from rapport_testing.infrastructure import Infrastructure

APPEND_ONLY = {
    "customer": {"audit", "consent_history", "inbox"},
    "cases": {"audit", "inbox"},
    "loyalty": {"allocations", "audit", "entries", "seals", "transfers", "inbox"},
    "notifications": {"audit", "inbox"},
    "desk": {"audit", "inbox"},
}
READ_ONLY = {"alembic_version", "causes", "keeping"}
TABLES = """
    SELECT oid::regclass::text AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""
SCHEMA = [
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "ALTER TABLE {} DISABLE TRIGGER USER",
    "ALTER TABLE {} ADD COLUMN more text",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "CREATE RULE silent AS ON INSERT TO {} DO INSTEAD NOTHING",
    "CREATE TRIGGER mine BEFORE INSERT ON {} EXECUTE FUNCTION refuse_change()",
    "DROP TABLE {} CASCADE",
    "TRUNCATE {}",
]
ELSEWHERE = [
    "CREATE TABLE mine (id integer)",
    "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION refuse_change() OWNER TO CURRENT_USER",
    "DROP FUNCTION refuse_change() CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "UPDATE alembic_version SET version_num = 'x'",
    "UPDATE outbox SET data = ''",
    "DELETE FROM outbox",
    "DELETE FROM outbox_default",
    "DELETE FROM audit_default",
    "INSERT INTO causes DEFAULT VALUES",
    "UPDATE keeping SET days = 0",
    "SELECT * FROM pg_authid",
    "CREATE SCHEMA mine",
    "CREATE TEMPORARY TABLE mine (id integer)",
]


@pytest.fixture(params=SERVICES)
async def served(infrastructure: Infrastructure, request: pytest.FixtureRequest) -> Any:
    """The name of a service, and a connection as its role to its migrated database."""
    service = import_module(f"{request.param}.service").service
    url = await infrastructure.fresh_database(service.name, service.migrations)
    async with infrastructure.superuser(url) as superuser:  # as in production, where nobody else may connect
        await superuser.execute(f'REVOKE ALL ON DATABASE "{url.rpartition("/")[2]}" FROM PUBLIC')
        await superuser.execute(f'GRANT CONNECT ON DATABASE "{url.rpartition("/")[2]}" TO "{service.name}"')
    connection = await asyncpg.connect(url)
    yield service.name, connection
    await connection.close()
    await infrastructure.drop_database(url)


async def refused(connection: asyncpg.Connection, sql: str) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_it_changes_no_schema_and_switches_off_no_trigger(served: Any) -> None:
    _, connection = served
    tables = [row["name"] for row in await connection.fetch(TABLES)]
    tried = [*(sql.format(table) for table in tables for sql in SCHEMA), *ELSEWHERE]
    assert [sql for sql in tried if not await refused(connection, sql)] == []


async def test_it_neither_changes_nor_deletes_what_is_append_only(served: Any) -> None:
    service, connection = served
    for table in APPEND_ONLY[service]:
        column = await connection.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1", table
        )
        assert await refused(connection, f"UPDATE {table} SET {column} = {column}")
        assert await refused(connection, f"DELETE FROM {table}")
        assert await refused(connection, f"SELECT * FROM {table} FOR UPDATE")


async def test_it_writes_every_other_table(served: Any) -> None:
    service, connection = served
    less = APPEND_ONLY[service] | {"outbox", "accounts"} | READ_ONLY
    for (table,) in await connection.fetch(TABLES):
        rights = ["SELECT", "INSERT", *([] if table in less else ["UPDATE", "DELETE"])]
        for right in rights if table not in READ_ONLY else ["SELECT"]:
            assert await connection.fetchval("SELECT has_table_privilege($1, $2)", table, right), table


@pytest.mark.parametrize(
    "call",
    [
        "SELECT make_partitions('work')",
        "SELECT drop_partition('work', CURRENT_DATE)",
        "SELECT forget('work', gen_random_uuid(), 100)",
    ],
)
async def test_what_looks_after_days_looks_after_nothing_else(served: Any, call: str) -> None:
    _, connection = served
    with pytest.raises(asyncpg.InvalidParameterValueError, match="work is kept by no partition"):
        await connection.execute(call)


async def test_it_makes_the_next_days_and_no_range_of_its_own(served: Any) -> None:
    """Or it could draw what is to be kept into a day that is past its keeping, and drop that."""
    _, connection = served
    for parent in ("outbox", "inbox"):
        await connection.execute("SELECT make_partitions($1)", parent)
        bounds = await connection.fetch(
            "SELECT pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i"
            " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass",
            parent,
        )
        today = await connection.fetchval("SELECT date_trunc('day', now(), 'UTC')")
        ends = [ids.floor(today + timedelta(days=ahead)) for ahead in range(4)]
        ranges = {f"FOR VALUES FROM ('{first}') TO ('{past}')" for first, past in pairwise(ends)}
        assert {row["bound"] for row in bounds} == {"DEFAULT"} | ranges
    as_owner = await connection.fetch("SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef")
    assert {row[0] for row in as_owner} == {
        "make_partitions(text)",
        "drop_partition(text,date)",
        "forget(text,uuid,integer)",
    }


async def test_it_enters_no_database_but_its_own(served: Any, infrastructure: Infrastructure) -> None:
    service, _ = served
    for role in (service, owner_of(service)):
        url = urlsplit(infrastructure.postgres.url_for(service, role))
        for other in ("postgres", "template1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
                await asyncpg.connect(urlunsplit(url._replace(path=f"/{other}")))
