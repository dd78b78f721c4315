"""The time zone that a customer chose."""

from alembic import op

revision = "customer_0042"
down_revision = "customer_0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE preferences ADD COLUMN IF NOT EXISTS time_zone text NOT NULL DEFAULT ''")
