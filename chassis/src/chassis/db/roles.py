"""Whether a database is as a service needs it: its schema, and two roles (docs/adr/0026).

The owner makes and changes tables, the service reads and writes rows.

What a database refuses by a trigger, it must refuse to whoever could drop the trigger. So the service's role
owns nothing: `grant` gives it rows, and partitions are made and dropped for it by functions of the owner.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import sqlalchemy as sa

from chassis.db.database import Database
from chassis.db.statement import Statement

# A trigger before a whole statement refuses it: what is append-only is not even granted.
_TABLES = """
    SELECT c.oid::regclass::text AS name,
           coalesce(bool_or(t.tgtype & 16 <> 0), false) AS keeps_values,
           coalesce(bool_or(t.tgtype & 8 <> 0), false) AS keeps_rows
    FROM pg_class c
    LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 3 = 2
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.oid
"""
# Tables of which it may do less than to insert, change and delete rows.
_LESS = {
    "alembic_version": "SELECT",
    "outbox": "SELECT, INSERT, UPDATE (published_at)",
    "inbox": "SELECT, INSERT",
    "causes": "SELECT",
    "keeping": "SELECT",
}
# Of the owner, which it may call.
_FUNCTIONS = (
    "make_partitions(parent text)",
    "drop_partition(parent text, day date)",
    "forget(parent text, before uuid, most integer)",
)
_ROLE = """
    SELECT current_user::text AS role, pg_has_role(relowner, 'USAGE') AS owns,
           has_table_privilege(oid, 'INSERT') AS writes
    FROM pg_class WHERE oid = 'audit'::regclass
"""
CHASSIS = Path(__file__).parent / "migrations"
_VERSIONS = Statement[Any](sa.select(sa.column("version_num")).select_from(sa.table("alembic_version")))


def role_of(url: str) -> str:
    """The role that a connection string names; "" when it names none."""
    return unquote(urlsplit(url).username or "")


async def grant(connection: asyncpg.Connection, role: str) -> None:
    """Let the service's role read and write rows, and no more. The connection is the owner's."""
    name = await connection.fetchval("SELECT quote_ident($1)", role)
    async with connection.transaction():
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
        for table in await connection.fetch(_TABLES):
            rights = _LESS.get(table["name"]) or _rights(table["keeps_values"], table["keeps_rows"])
            await connection.execute(f"REVOKE ALL ON {table['name']} FROM {name}")
            await connection.execute(f"GRANT {rights} ON {table['name']} TO {name}")
        for function in _FUNCTIONS:
            await connection.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
            await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {name}")


async def problem(db: Database) -> str:
    """Why the service must not run as the role that it is, in words; "" when it may."""
    async with db.connection() as connection:
        found = await connection.fetchrow(_ROLE)
    if found["owns"]:
        return (
            f"the role {found['role']} owns the tables and could switch off what keeps the audit as it is: "
            "serve as another in RAPPORT_DATABASE_URL, migrate as the owner in RAPPORT_DATABASE_OWNER_URL"
        )
    return "" if found["writes"] else f"the role {found['role']} may not write: `migrate` grants it that"


def _rights(keeps_values: bool, keeps_rows: bool) -> str:
    withheld = {"UPDATE": keeps_values, "DELETE": keeps_rows}
    return ", ".join(["SELECT", "INSERT", *(right for right, kept in withheld.items() if not kept)])


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
