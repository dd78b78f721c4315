"""Work has a place in the queue of its department."""

from alembic import op

from chassis.db.indexes import create_index

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
    create_index("work_items_queue_deadline", f"work_items (department_id, deadline_time, id) {WAITING}")
    create_index("work_items_queue_rank", f"work_items (department_id, rank_time, id) {WAITING}")
    create_index(
        "work_items_queue_customer", f"work_items (customer_id, department_id, rank_time, id) {WAITING}"
    )
