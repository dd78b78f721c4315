"""What purposes are called and about in other languages."""

from alembic import op

revision = "customer_0041"
down_revision = "customer_0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE purposes ADD COLUMN IF NOT EXISTS translations jsonb NOT NULL DEFAULT '[]'")
