"""Policies that tell of a day in each year, and of which year a notice is: of each year there is one."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0029"
down_revision = "notifications_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE policies ADD COLUMN IF NOT EXISTS yearly boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS years bigint")
    create_index(
        "notices_trigger_year",
        "notices (trigger_event, customer, years) NULLS NOT DISTINCT WHERE trigger_event IS NOT NULL",
        kind="UNIQUE INDEX",
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS notices_trigger")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
