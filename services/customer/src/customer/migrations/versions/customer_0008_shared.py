"""Handles that are known to be shared, and how a customer proved that they have one."""

from alembic import op

from chassis.db.indexes import create_index

revision = "customer_0008"
down_revision = "customer_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes. What is shared, and no number, is matched by
    # `shared_value` and lies outside of the unique index, by which that release claims handles: it neither
    # finds such a handle nor trips over it. What is there already, an interrupted run has left.
    op.execute(
        """
        ALTER TABLE identifiers
            ADD COLUMN IF NOT EXISTS shared boolean NOT NULL DEFAULT false,
            ADD COLUMN IF NOT EXISTS shared_value text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS verification_method text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS verify_time timestamptz,
            ADD COLUMN IF NOT EXISTS verifier text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1
        """
    )
    create_index("identifiers_shared", "identifiers (shared_value, type) WHERE shared_value <> ''")
