"""Which work that is due goes first."""

from alembic import op

from chassis.db.indexes import create_index

revision = "chassis_0003"
down_revision = "chassis_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE work ADD COLUMN IF NOT EXISTS rank smallint NOT NULL DEFAULT 0")
    create_index("work_ready", "work (kind, rank, due_at) WHERE state = 'PENDING'")
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS work_due")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
