"""Handles that are known to be shared, and how a customer proved that they have one."""

from alembic import op

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
    # While others write, as long as it takes; one that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS identifiers_shared")
        op.execute(
            "CREATE INDEX CONCURRENTLY identifiers_shared ON identifiers (shared_value, type)"
            " WHERE shared_value <> ''"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
