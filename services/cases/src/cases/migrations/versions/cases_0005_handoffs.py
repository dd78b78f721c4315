"""Work is somebody's, cannot go on, waits for other work, and goes from one department to another."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0005"
down_revision = "cases_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE work_items
            ADD COLUMN predecessor_ids uuid[] NOT NULL DEFAULT '{}',
            ADD COLUMN duration_minutes bigint NOT NULL DEFAULT 0,
            ADD COLUMN bound boolean NOT NULL DEFAULT false,
            ADD COLUMN said_finish_time timestamptz,
            ADD COLUMN said_reason_code text NOT NULL DEFAULT '',
            ADD COLUMN assignee_id text,
            ADD COLUMN block_time timestamptz,
            ADD COLUMN block_reason_code text NOT NULL DEFAULT '',
            ADD COLUMN handoff_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN return_count bigint NOT NULL DEFAULT 0
        """
    )
    op.execute(
        """
        CREATE TABLE handoffs (
            id uuid PRIMARY KEY,
            work_item_id uuid NOT NULL REFERENCES work_items,
            case_id uuid NOT NULL REFERENCES cases,
            customer_id uuid NOT NULL,
            requesting_department_id text NOT NULL,
            department_id text NOT NULL,
            hand_over_time timestamptz NOT NULL,
            reason_code text NOT NULL,
            asked_customer_again boolean NOT NULL,
            returned boolean NOT NULL,
            start_time timestamptz,
            end_time timestamptz,
            block_times timestamptz[] NOT NULL,
            unblock_times timestamptz[] NOT NULL,
            CHECK (end_time >= greatest(hand_over_time, start_time)),
            CHECK (cardinality(block_times) - cardinality(unblock_times) BETWEEN 0 AND 1),
            CHECK (end_time IS NULL OR cardinality(block_times) = cardinality(unblock_times))
        )
        """
    )
    op.execute("CREATE INDEX handoffs_work_item ON handoffs (work_item_id, id)")
    op.execute("CREATE INDEX handoffs_case ON handoffs (case_id, id)")
    op.execute("CREATE INDEX handoffs_requesting_department ON handoffs (requesting_department_id, id)")
    op.execute("CREATE INDEX handoffs_department ON handoffs (department_id, id)")
    op.execute("CREATE UNIQUE INDEX handoffs_one_open ON handoffs (work_item_id) WHERE end_time IS NULL")
    create_index("work_items_assignee", "work_items (assignee_id, id)")
