"""When customers said that they want nothing but what they have of us."""

from alembic import op

revision = "customer_0028"
down_revision = "customer_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS contact_stops (
            customer_id uuid NOT NULL,
            stop_time timestamptz NOT NULL,
            PRIMARY KEY (customer_id, stop_time)
        )
        """)
