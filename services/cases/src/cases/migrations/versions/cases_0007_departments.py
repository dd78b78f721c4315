"""Departments say what they have to know of work."""

from alembic import op

revision = "cases_0007"
down_revision = "cases_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE departments (
            id text PRIMARY KEY,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            display_name text NOT NULL,
            requires jsonb NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    # With a default, which the release before writes: it does not know of the column.
    op.execute("ALTER TABLE work_items ADD COLUMN fields jsonb NOT NULL DEFAULT '{}'")
