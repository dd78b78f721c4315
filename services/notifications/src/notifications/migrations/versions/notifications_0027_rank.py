"""Which notices that wait go first, how many wait for a provider before one; jobs that are not over."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0027"
down_revision = "notifications_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS rank bigint NOT NULL DEFAULT 1")
    create_index("notices_waiting", "notices (waits_for, rank, id) WHERE waits_for <> ''")
    create_index("notice_jobs_open", "notice_jobs (state) WHERE end_time IS NULL")
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS notices_waits_for")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
