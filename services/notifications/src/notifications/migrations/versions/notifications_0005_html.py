"""A text may say the same in HTML."""

from alembic import op

revision = "notifications_0005"
down_revision = "notifications_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE texts ADD COLUMN IF NOT EXISTS html text NOT NULL DEFAULT ''")
