"""The lines of purchases, what is given back of them, and where they were sold."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0009"
down_revision = "loyalty_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE purchases
            ADD COLUMN sold jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN returned_purchase_id uuid,
            ADD COLUMN store text
        """
    )
    create_index(
        "purchases_returned",
        "purchases (returned_purchase_id, purchase_time, id) WHERE returned_purchase_id IS NOT NULL",
    )
    create_index("purchases_of_store", "purchases (store, purchase_time, id) WHERE store IS NOT NULL")
