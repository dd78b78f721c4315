"""When a case was settled can be asked for; why it was opened again is kept."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0003"
down_revision = "cases_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of the column.
    op.execute("ALTER TABLE cases ADD COLUMN reopen_reason_code text NOT NULL DEFAULT ''")
    create_index("cases_resolve_time", "cases (resolve_time, id)")
