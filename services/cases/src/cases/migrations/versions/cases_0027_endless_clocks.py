"""Clocks that run and will never be up are counted."""

from chassis.db.indexes import create_index

revision = "cases_0027"
down_revision = "cases_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("clocks_endless", "clocks (id) WHERE state = 'RUNNING' AND due_time IS NULL")
