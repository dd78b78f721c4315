"""Transfers that are undone with what they are for, and debts that are never above zero."""

from alembic import op

revision = "loyalty_0022"
down_revision = "loyalty_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE transfers ADD COLUMN managed boolean NOT NULL DEFAULT false")
    op.execute(
        """
        ALTER TABLE accounts
            ADD CONSTRAINT debt_not_above_zero CHECK (balance <= 0 OR type <> 'DEBT') NOT VALID
        """
    )
