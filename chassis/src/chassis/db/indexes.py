"""Indexes of tables that have rows, for migrations: `create_index("cases_kind", "cases (kind, id)")`."""

from alembic import op


def create_index(name: str, on: str, *, kind: str = "INDEX") -> None:
    """Make an index while others read and write: `on` is the table with what of it, and WHERE.

    One that was interrupted before has left an index that nobody uses: it is made anew. `kind` may be
    UNIQUE INDEX.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {kind} CONCURRENTLY {name} ON {on}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
