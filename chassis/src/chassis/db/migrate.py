"""Bring a service's database to the newest version: the chassis' tables, then the service's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import asyncpg
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.db.roles import CHASSIS, grant
from chassis.db.session import connected

# A migration that cannot get its lock must give up before the queries queuing behind it do harm.
GUARDS = {"lock_timeout": "4s", "statement_timeout": "30s"}
WAIT_FOR_OTHERS_S, LOOK_EVERY_S = 300, 0.2
_log = structlog.get_logger()
_LOCK = 0x52617070  # "Rapp": one migration at a time in one database


async def migrate(
    url: str,
    migrations: Path,
    role: str,
    keeping: Mapping[str, int] = MappingProxyType({}),
    tls_dir: Path | None = None,
) -> None:
    """Apply every migration that is missing, one transaction each, and grant the service what it needs.

    A database that a newer release has migrated is left as it is: a release runs on the schema of the next
    one, so that rolling back is deploying the previous image.

    The URL is of the role that owns the tables, `role` the service's own, another one, which exists.
    `keeping` says for how many days to keep `causes` and `audit`, where that is not as it was. OSError or
    asyncpg.PostgresError when the server cannot be reached or refuses; sqlalchemy.exc.DBAPIError when a
    migration failed: those before it stay applied.
    """
    config = _config(migrations)
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    async with _alone(url, tls_dir) as connection:
        applied = await _applied(connection)
        if not applied <= known:
            _log.warning(
                "the database is newer than this release: nothing to migrate", applied=sorted(applied - known)
            )
        elif applied != set(scripts.get_heads()):
            engine = create_async_engine(
                "postgresql+asyncpg://",
                poolclass=NullPool,
                # By the driver alone: SQLAlchemy hands on `sslmode` and its like as what it does not know.
                async_creator=lambda: connected(url, tls_dir, server_settings=GUARDS),
            )
            async with engine.connect() as upgrading:
                await upgrading.run_sync(_upgrade, config)
        for parent, days in keeping.items():
            await connection.execute("UPDATE keeping SET days = $2 WHERE parent = $1", parent, days)
        await grant(connection, role)


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(CHASSIS))
    config.set_main_option("path_separator", "newline")
    versions = [CHASSIS / "versions", migrations / "versions"]
    config.set_main_option("version_locations", "\n".join(_escaped(path) for path in versions))
    return config


def _escaped(path: Path) -> str:
    return str(path.resolve()).replace("%", "%%")


@asynccontextmanager
async def _alone(url: str, tls_dir: Path | None) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the database's migration lock."""
    connection = await connected(url, tls_dir, timeout=10)
    try:
        # Asked for again and again: a statement that waits keeps its snapshot, and an index that is made
        # while others write waits for every snapshot of before.
        async with asyncio.timeout(WAIT_FOR_OTHERS_S):
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
        yield connection
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return set()
    return {row["version_num"] for row in await connection.fetch("SELECT version_num FROM alembic_version")}


def _upgrade(connection: sa.Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
