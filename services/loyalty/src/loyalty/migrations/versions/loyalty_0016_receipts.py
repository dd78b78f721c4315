"""Purchases that are nobody's until they are claimed by their receipts, and lists by what is on them."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0016"
down_revision = "loyalty_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(  # the release before shows what is nobody's without a name, and counts it for nobody
        """
        -- squawk-ignore ban-drop-not-null
        ALTER TABLE purchases ALTER COLUMN customer_id DROP NOT NULL, ADD COLUMN receipt_hash bytea
        """
    )
    op.execute(
        """
        CREATE TABLE receipt_tries (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            create_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX receipt_tries_of_customer ON receipt_tries (customer_id, create_time)")
    create_index("purchases_of_receipt", "purchases (receipt_hash) WHERE receipt_hash IS NOT NULL")
    create_index("purchases_of_reference", "purchases (reference, purchase_time, id)")
    create_index("purchases_of_currency", "purchases (currency_code, purchase_time, id)")
    create_index("purchases_of_product", "purchases USING gin (sold jsonb_path_ops)")
