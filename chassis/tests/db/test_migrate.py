import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy.exc

from chassis.db.migrate import migrate
from chassis.db.schema import METADATA
from rapport_testing.infrastructure import Infrastructure

SAMPLE = Path(__file__).parent.parent / "migrations"
ROLE = "app"


@pytest.fixture
async def empty(infrastructure: Infrastructure):
    name = f"empty_{uuid4().hex[:12]}"
    await infrastructure.execute(f"CREATE DATABASE {name}")
    await infrastructure.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    yield infrastructure.database_url(name)
    await infrastructure.drop_database(infrastructure.database_url(name))


async def columns(url: str) -> dict[str, set[tuple[str, bool]]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    await connection.close()
    found: dict[str, set[tuple[str, bool]]] = {}
    for row in rows:
        found.setdefault(row["table_name"], set()).add((row["column_name"], row["is_nullable"] == "YES"))
    return found


def folder(tmp_path: Path, *statements: str) -> Path:
    (tmp_path / "versions").mkdir(exist_ok=True)
    for number, statement in enumerate(statements, 1):
        down = repr(f"own_{number - 1:04}") if number > 1 else "None"
        labels = '("own",)' if number == 1 else "None"
        (tmp_path / "versions" / f"own_{number:04}.py").write_text(
            f"from alembic import op\nrevision = 'own_{number:04}'\ndown_revision = {down}\n"
            f"branch_labels = {labels}\ndepends_on = None\ndef upgrade():\n    op.execute({statement!r})\n"
        )
    return tmp_path


async def test_the_migrated_tables_have_the_columns_that_statements_are_written_against(empty: str):
    await migrate(empty, SAMPLE, ROLE)

    found = await columns(empty)
    for table in METADATA.tables.values():
        assert found[table.name] == {(c.name, bool(c.nullable)) for c in table.columns}


async def test_the_services_own_tables_are_made_too(empty: str):
    await migrate(empty, SAMPLE, ROLE)

    assert "notes" in await columns(empty)


async def test_replicas_that_migrate_at_the_same_time_all_succeed(empty: str):
    await asyncio.gather(*(migrate(empty, SAMPLE, ROLE) for _ in range(4)))

    assert "notes" in await columns(empty)


async def test_an_index_is_made_though_other_replicas_wait_for_it(empty: str, tmp_path: Path):
    migrations = folder(tmp_path, "CREATE TABLE first (id int)", "SELECT 1")
    index = migrations / "versions" / "own_0002.py"
    index.write_text(
        "from chassis.db.indexes import create_index\n"
        + index.read_text().replace("op.execute('SELECT 1')", "create_index('first_id', 'first (id)')")
    )

    async with asyncio.timeout(60):  # one that waits for the others waits for five minutes
        await asyncio.gather(*(migrate(empty, migrations, ROLE) for _ in range(4)))

    connection = await asyncpg.connect(empty)
    assert await connection.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'first_id'::regclass"
    )
    await connection.close()


async def test_a_failing_migration_leaves_those_before_it_and_nothing_of_itself(empty: str, tmp_path: Path):
    migrations = folder(tmp_path, "CREATE TABLE first (id int)", "CREATE TABLE second (id nonsense)")

    with pytest.raises(sqlalchemy.exc.DBAPIError):
        await migrate(empty, migrations, ROLE)

    found = await columns(empty)
    assert "first" in found
    assert "second" not in found


async def test_a_migration_that_cannot_get_its_lock_gives_up_within_seconds(empty: str, tmp_path: Path):
    statements = ["CREATE TABLE first (id int)", "ALTER TABLE first ADD COLUMN more text"]
    await migrate(empty, folder(tmp_path, statements[0]), ROLE)
    holder = await asyncpg.connect(empty)
    await holder.execute("BEGIN; LOCK TABLE first")

    with pytest.raises(sqlalchemy.exc.DBAPIError, match="lock timeout"):
        await migrate(empty, folder(tmp_path, *statements), ROLE)

    await holder.close()


async def test_a_database_that_a_newer_release_has_migrated_is_left_as_it_is(empty: str, tmp_path: Path):
    newer = folder(tmp_path, "CREATE TABLE first (id int)", "CREATE TABLE second (id int)")
    await migrate(empty, newer, ROLE)
    (newer / "versions" / "own_0002.py").unlink()

    await migrate(empty, newer, ROLE)

    assert "second" in await columns(empty)


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_the_audit_trail_cannot_be_changed(empty: str, change: str):
    await migrate(empty, SAMPLE, ROLE)
    connection = await asyncpg.connect(empty)

    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await connection.execute(change)

    await connection.close()
