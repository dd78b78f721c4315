"""Clocks go by calendars."""

from alembic import op

revision = "cases_0013"
down_revision = "cases_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE clocks
            ADD COLUMN calendar_id text NOT NULL DEFAULT 'always',
            ADD COLUMN calendar_version bigint NOT NULL DEFAULT 1
        """
    )
    with op.get_context().autocommit_block():  # while others write
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS clocks_calendar")
        op.execute(
            "CREATE INDEX CONCURRENTLY clocks_calendar ON clocks (calendar_id, id) "
            "WHERE fulfill_time IS NULL AND breach_time IS NULL"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
