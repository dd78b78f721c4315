"""What points were counted for tiers: an account's entries are not all looked at for each that is posted.

Without a reference to the account, which is never deleted: it would lock that after the standing, and whoever
earns has it before.
"""

from alembic import op

revision = "loyalty_0033"
down_revision = "loyalty_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE counted_points (
            account_id uuid PRIMARY KEY,
            since timestamptz NOT NULL,
            version bigint NOT NULL,
            amount bigint NOT NULL
        )
        """
    )
