"""What a release before kept is there after a migration."""

import shutil
from pathlib import Path
from uuid import uuid4

import asyncpg

import loyalty
from chassis.db.migrate import migrate
from rapport_testing.infrastructure import Infrastructure

MIGRATIONS = Path(loyalty.__file__).parent / "migrations"
ROLE = "app"


def until(folder: Path, last: str) -> Path:
    """The migrations of a release before, the last of which is of this number."""
    (folder / "versions").mkdir()
    for each in sorted((MIGRATIONS / "versions").glob("loyalty_*.py")):
        if each.name[len("loyalty_") :][:4] <= last:
            shutil.copy(each, folder / "versions")
    return folder


async def test_who_had_a_membership_belongs_to_it(infrastructure: Infrastructure, tmp_path: Path) -> None:
    name, customer_id, membership_id = f"before_{uuid4().hex[:12]}", uuid4(), uuid4()
    await infrastructure.execute(f"CREATE DATABASE {name}")
    await infrastructure.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    url = infrastructure.database_url(name)
    await migrate(url, until(tmp_path, "0011"), ROLE)
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO programs VALUES ('club', 'Club', 1, now(), now())")
    await connection.execute(
        "INSERT INTO memberships (id, program_id, customer_id, create_time, update_time, version)"
        " VALUES ($1, 'club', $2, now(), now(), 1)",
        membership_id,
        customer_id,
    )
    await migrate(url, MIGRATIONS, ROLE)
    members = await connection.fetch("SELECT membership_id, customer_id, role FROM members")
    assert [tuple(each) for each in members] == [(membership_id, customer_id, "PRIMARY")]
    await connection.close()
    await infrastructure.drop_database(url)
