"""The language that a customer chose."""

from alembic import op

revision = "customer_0029"
down_revision = "customer_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE preferences ADD COLUMN IF NOT EXISTS language_code text NOT NULL DEFAULT ''")
