"""What was given for a harm is found by it, whichever name of the customer it was given to."""

from alembic import op

revision = "loyalty_0003"
down_revision = "loyalty_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # While others write, as long as it takes; one that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS goodwill_root")
        op.execute("CREATE INDEX CONCURRENTLY goodwill_root ON goodwill (root_id) WHERE root_id IS NOT NULL")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
