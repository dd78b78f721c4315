"""What was promised or asked for, as it was said."""

from alembic import op

revision = "cases_0002"
down_revision = "cases_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of the column.
    op.execute("ALTER TABLE work_items ADD COLUMN display_name text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE promises ADD COLUMN display_name text NOT NULL DEFAULT ''")
