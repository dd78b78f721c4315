"""How often customers' links to their own pages were taken back."""

from alembic import op

revision = "customer_0025"
down_revision = "customer_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS customer_links (
            customer_id uuid NOT NULL PRIMARY KEY,
            generation bigint NOT NULL,
            update_time timestamptz NOT NULL
        )
        """)
