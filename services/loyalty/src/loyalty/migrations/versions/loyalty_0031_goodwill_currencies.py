"""What goodwill in another currency than that of the budgets counts as, and by which rate."""

from alembic import op

revision = "loyalty_0031"
down_revision = "loyalty_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE goodwill
            ADD COLUMN converted_amount bigint,
            ADD COLUMN converted_currency text NOT NULL DEFAULT '',
            ADD COLUMN exchange_rate_id text NOT NULL DEFAULT '',
            ADD COLUMN rate numeric,
            ADD COLUMN rate_date date
        """
    )
