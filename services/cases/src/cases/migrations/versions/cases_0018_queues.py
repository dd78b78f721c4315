"""Work has a place in the queue of its department."""

from alembic import op

revision = "cases_0018"
down_revision = "cases_0017"
branch_labels = None
depends_on = None

WAITING = "WHERE state = 'PENDING' AND assignee_id IS NULL AND block_time IS NULL"


def upgrade() -> None:
    # With defaults, which what is there has, and what the release before writes: it does not know of them.
    op.execute(
        """
        ALTER TABLE work_items
            ADD COLUMN deadline_time timestamptz DEFAULT now() + interval '3 days',
            ADD COLUMN deadline_basis text NOT NULL DEFAULT 'AGE',
            ADD COLUMN rank_time timestamptz DEFAULT now() + interval '3 days'
        """
    )
    _index("work_items_queue_deadline", "department_id, deadline_time, id")
    _index("work_items_queue_rank", "department_id, rank_time, id")
    _index("work_items_queue_customer", "customer_id, department_id, rank_time, id")


def _index(name: str, columns: str) -> None:
    """Make an index of what waits while others write. One that was interrupted left one that nobody uses."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON work_items ({columns}) {WAITING}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
