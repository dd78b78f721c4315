"""What a release before kept is there after a migration."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

import loyalty
from chassis.db.migrate import migrate
from loyalty.domain.card_numbers import CardNumbers
from rapport_testing.infrastructure import Infrastructure

MIGRATIONS = Path(loyalty.__file__).parent / "migrations"
ROLE, PEPPER = "app", "a-key-of-thirty-two-characters-00"


def until(folder: Path, last: str) -> Path:
    """The migrations of a release before, the last of which is of this number."""
    (folder / "versions").mkdir()
    for each in sorted((MIGRATIONS / "versions").glob("loyalty_*.py")):
        if each.name[len("loyalty_") :][:4] <= last:
            shutil.copy(each, folder / "versions")
    return folder


@pytest.fixture
async def empty(infrastructure: Infrastructure) -> AsyncIterator[str]:
    """The address of a database in which nothing is."""
    name = f"before_{uuid4().hex[:12]}"
    await infrastructure.execute(f"CREATE DATABASE {name}")
    await infrastructure.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    url = infrastructure.database_url(name)
    yield url
    await infrastructure.drop_database(url)


async def member_of(connection: asyncpg.Connection, customer_id: UUID) -> UUID:
    """A customer's membership of a new program."""
    await connection.execute("INSERT INTO programs VALUES ('club', 'Club', 1, now(), now())")
    membership_id = uuid4()
    await connection.execute(
        "INSERT INTO memberships (id, program_id, customer_id, create_time, update_time, version)"
        " VALUES ($1, 'club', $2, now(), now(), 1)",
        membership_id,
        customer_id,
    )
    return membership_id


async def test_who_had_a_membership_belongs_to_it(empty: str, tmp_path: Path) -> None:
    customer_id = uuid4()
    await migrate(empty, until(tmp_path, "0011"), ROLE)
    connection = await asyncpg.connect(empty)
    membership_id = await member_of(connection, customer_id)
    await migrate(empty, MIGRATIONS, ROLE)
    members = await connection.fetch("SELECT membership_id, customer_id, role FROM members")
    assert [tuple(each) for each in members] == [(membership_id, customer_id, "PRIMARY")]
    await connection.close()


async def test_a_number_that_was_kept_in_the_clear_is_so_no_more(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(empty, until(tmp_path, "0028"), ROLE)
    connection = await asyncpg.connect(empty)
    await connection.execute(
        "INSERT INTO cards VALUES"
        " ($1, 'club', $2, '4929123456789010', 'ACTIVE', NULL, '', '', now(), now(), 1)",
        uuid4(),
        await member_of(connection, uuid4()),
    )
    monkeypatch.delenv("RAPPORT_CARD_PEPPER", raising=False)
    with pytest.raises(RuntimeError, match="RAPPORT_CARD_PEPPER must be given"):
        await migrate(empty, MIGRATIONS, ROLE)
    monkeypatch.setenv("RAPPORT_CARD_PEPPER", PEPPER)
    await migrate(empty, MIGRATIONS, ROLE)
    kept = CardNumbers(PEPPER).kept("club", "4929 1234 5678 9010", "number")
    (card,) = await connection.fetch("SELECT number_hash, number_end FROM cards")
    assert tuple(card) == (kept.number_hash, "9010")
    await connection.close()
