"""Handles by which somebody who tried did not reach the customer."""

from alembic import op

revision = "customer_0019"
down_revision = "customer_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE identifiers ADD COLUMN IF NOT EXISTS unreachable_time timestamptz")
