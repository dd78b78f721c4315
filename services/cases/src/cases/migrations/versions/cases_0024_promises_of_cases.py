"""Promises are listed by their case."""

from chassis.db.indexes import create_index

revision = "cases_0024"
down_revision = "cases_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("promises_case", "promises (case_id, due_time, id)")
