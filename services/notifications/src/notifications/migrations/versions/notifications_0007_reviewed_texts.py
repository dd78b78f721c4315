"""Versions of texts are drafts until a second person approves them, where their template asks for it."""

from alembic import op

revision = "notifications_0007"
down_revision = "notifications_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE templates ADD COLUMN IF NOT EXISTS reviewed boolean NOT NULL DEFAULT false")
    op.execute("""
        ALTER TABLE texts
            ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'APPROVED',
            ADD COLUMN IF NOT EXISTS author text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS reviewer text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS review_time timestamptz,
            ADD COLUMN IF NOT EXISTS review_note text NOT NULL DEFAULT ''
        """)
