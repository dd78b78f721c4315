"""Clocks that are neither done nor late are looked at one after the other."""

from alembic import op

revision = "cases_0025"
down_revision = "cases_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():  # while others write
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS clocks_undecided")
        op.execute(
            "CREATE INDEX CONCURRENTLY clocks_undecided ON clocks (id) "
            "WHERE fulfill_time IS NULL AND breach_time IS NULL"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
