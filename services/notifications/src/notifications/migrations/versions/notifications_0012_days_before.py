"""How many days before a day a notice is sent, which are counted where the customer lives."""

from alembic import op

revision = "notifications_0012"
down_revision = "notifications_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS days_before bigint NOT NULL DEFAULT 0")
