"""Clocks go by calendars."""

from alembic import op

from chassis.db.indexes import create_index

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
    create_index(
        "clocks_calendar", "clocks (calendar_id, id) WHERE fulfill_time IS NULL AND breach_time IS NULL"
    )
