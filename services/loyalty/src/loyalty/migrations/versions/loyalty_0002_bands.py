"""The band that others were last told of."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0002"
down_revision = "loyalty_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: no version is a band that nobody kept.
    op.execute(
        """
        ALTER TABLE customer_values
            ADD COLUMN band text NOT NULL DEFAULT 'STANDARD',
            ADD COLUMN formula_version text NOT NULL DEFAULT ''
        """
    )
    create_index("customer_values_by_formula", "customer_values (formula_version, customer_id)")
