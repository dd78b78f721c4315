"""How a contact ended, and how long it took."""

from alembic import op

revision = "customer_0036"
down_revision = "customer_0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE timeline
            ADD COLUMN IF NOT EXISTS outcome_code text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS duration interval
        """)
