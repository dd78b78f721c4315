"""Which category of purposes a message was for: each has a budget of its own."""

from alembic import op

revision = "notifications_0010"
down_revision = "notifications_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS category text NOT NULL DEFAULT ''")
