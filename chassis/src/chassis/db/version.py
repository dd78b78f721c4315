"""Whether a database has the schema that this release needs. Without Alembic, so that a start is quick."""

from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa

from chassis.db.database import Database
from chassis.db.statement import Statement

CHASSIS = Path(__file__).parent / "migrations"
_VERSIONS = Statement[Any](sa.select(sa.column("version_num")).select_from(sa.table("alembic_version")))


async def missing(db: Database, migrations: Path) -> list[str]:
    """The newest migrations of this release that are not applied. That of a newer release lacks none."""
    try:
        applied = {row["version_num"] for row in await _VERSIONS.all(db)}
    except asyncpg.UndefinedTableError:
        applied = set()
    wanted = _newest(CHASSIS) + _newest(migrations)
    return [revision for revision in wanted if not any(_same_or_newer(each, revision) for each in applied)]


def _newest(migrations: Path) -> list[str]:
    """The last revision in a folder, if it has any: files are named `<branch>_<number>_<what>.py`."""
    names = sorted(path.stem for path in (migrations / "versions").glob("*_[0-9]*.py"))
    return ["_".join(name.split("_")[:2]) for name in names[-1:]]


def _same_or_newer(applied: str, revision: str) -> bool:
    return applied.split("_")[0] == revision.split("_")[0] and applied >= revision
