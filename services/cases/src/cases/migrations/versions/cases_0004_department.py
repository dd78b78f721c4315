"""The cases of a department can be asked for."""

from alembic import op

revision = "cases_0004"
down_revision = "cases_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # While others write. One that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS cases_department")
        op.execute("CREATE INDEX CONCURRENTLY cases_department ON cases (department_id, id)")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
