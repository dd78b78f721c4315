"""Whose address an attempt went to."""

from alembic import op

revision = "notifications_0014"
down_revision = "notifications_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE attempts ADD COLUMN IF NOT EXISTS identifier text NOT NULL DEFAULT ''")
