"""Whose a contact is, where a person said so after a merge was undone."""

from alembic import op

revision = "customer_0013"
down_revision = "customer_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes. What is there already, an interrupted run has left.
    op.execute(
        """
        ALTER TABLE timeline
            ADD COLUMN IF NOT EXISTS assigned_customer_id uuid,
            ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1
        """
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS timeline_assigned")
        op.execute(
            "CREATE INDEX CONCURRENTLY timeline_assigned ON timeline (assigned_customer_id, occur_time, id)"
            " WHERE assigned_customer_id IS NOT NULL"
        )
        # Or the planner takes nearly all to be assigned until then, and reads timelines whole.
        op.execute("ANALYZE timeline (assigned_customer_id)")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
