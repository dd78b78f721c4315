"""What points were counted for tiers: an account's entries are not all looked at for each that is posted."""

from alembic import op

revision = "loyalty_0033"
down_revision = "loyalty_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE counted_points (
            account_id uuid PRIMARY KEY REFERENCES accounts (id),
            since timestamptz NOT NULL,
            version bigint NOT NULL,
            amount bigint NOT NULL
        )
        """
    )
