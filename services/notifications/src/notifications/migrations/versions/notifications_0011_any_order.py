"""What may have been sent can be withdrawn still; messages are counted by when they go."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0011"
down_revision = "notifications_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "notices_subject_open",
        "notices (notice_policy_id, subject)"
        " WHERE subject <> '' AND state IN ('REQUESTED', 'SENDING', 'UNKNOWN')",
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS notices_subject_live")
    create_index("notices_going", "notices (customer, (coalesce(schedule_time, create_time)))")
    create_index("trigger_marks_time", "trigger_marks (time)")
