"""Parcels, and the customers that are known."""

from alembic import op

revision = "parcels_0001"
down_revision = None
branch_labels = ("parcels",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE parcels (id uuid PRIMARY KEY, customer_id uuid NOT NULL, place text NOT NULL)")
    op.execute("CREATE TABLE customers (name text PRIMARY KEY)")
