"""What a provider does not take for what it says, and when a process last had that provider."""

from alembic import op

revision = "notifications_0023"
down_revision = "notifications_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE providers
            ADD COLUMN IF NOT EXISTS unwanted text[] NOT NULL DEFAULT '{}',
            ADD COLUMN IF NOT EXISTS seen_time timestamptz NOT NULL DEFAULT now()
        """)
