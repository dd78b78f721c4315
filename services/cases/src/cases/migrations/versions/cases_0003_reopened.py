"""When a case was settled can be asked for; why it was opened again is kept."""

from alembic import op

revision = "cases_0003"
down_revision = "cases_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of the column.
    op.execute("ALTER TABLE cases ADD COLUMN reopen_reason_code text NOT NULL DEFAULT ''")
    # While others write. One that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS cases_resolve_time")
        op.execute("CREATE INDEX CONCURRENTLY cases_resolve_time ON cases (resolve_time, id)")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
