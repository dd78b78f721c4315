"""When customers want quiet."""

from alembic import op

revision = "customer_0021"
down_revision = "customer_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE preferences
            ADD COLUMN IF NOT EXISTS quiet_hours jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN IF NOT EXISTS pauses jsonb NOT NULL DEFAULT '[]'
        """)
