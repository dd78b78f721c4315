"""Policies on dates of customers, and how far each has come."""

from alembic import op

revision = "notifications_0031"
down_revision = "notifications_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE policies ADD COLUMN IF NOT EXISTS customer_date text")
    op.execute("""
        CREATE TABLE IF NOT EXISTS customer_date_walks (
            notice_policy_id text PRIMARY KEY,
            version bigint NOT NULL,
            day date NOT NULL,
            page_token text NOT NULL,
            step bigint NOT NULL
        )
        """)
