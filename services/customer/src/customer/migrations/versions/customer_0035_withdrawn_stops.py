"""That a stop was said of another customer, and which addresses it suppressed, by identifier and category."""

from alembic import op

revision = "customer_0035"
down_revision = "customer_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE contact_stops
            ADD COLUMN IF NOT EXISTS suppressed text[] NOT NULL DEFAULT '{}',
            ADD COLUMN IF NOT EXISTS withdraw_time timestamptz
        """)
