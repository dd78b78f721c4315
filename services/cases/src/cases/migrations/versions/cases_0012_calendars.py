"""Calendars of business time, version by version."""

from alembic import op

revision = "cases_0012"
down_revision = "cases_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE calendar_versions (
            id text NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            department_id text NOT NULL,
            display_name text NOT NULL,
            time_zone text NOT NULL,
            hours jsonb NOT NULL,
            holidays jsonb NOT NULL,
            exceptions jsonb NOT NULL,
            settled jsonb NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            PRIMARY KEY (id, version)
        )
        """
    )
