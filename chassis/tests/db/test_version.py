"""A service that needs a newer schema than its database has says so instead of serving."""

from pathlib import Path

from cases.service import service
from chassis.db.roles import missing
from rapport_testing.fixtures import Start


async def test_a_migrated_database_lacks_nothing(start: Start) -> None:
    running = await start(service)
    assert await missing(running.db, service.migrations) == []


async def test_a_release_that_is_ahead_of_its_database_names_the_migration(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "cases_0099_more.py").touch()
    running = await start(service)
    assert await missing(running.db, tmp_path) == ["cases_0099"]


async def test_a_database_of_a_newer_release_is_served(start: Start, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "cases_0000_older.py").touch()
    running = await start(service)
    assert await missing(running.db, tmp_path) == []
