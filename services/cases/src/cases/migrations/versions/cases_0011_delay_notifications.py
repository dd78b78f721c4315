"""Who told a customer of a promise, how and when; who hears that one was broken; what promises rest on."""

from alembic import op

revision = "cases_0011"
down_revision = "cases_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE promises
            ADD COLUMN basis text NOT NULL DEFAULT 'EXPLICIT',
            ADD COLUMN delay_notify_time timestamptz,
            ADD COLUMN notifier text NOT NULL DEFAULT '',
            ADD COLUMN notify_channel text NOT NULL DEFAULT '',
            ADD COLUMN customer_requested boolean NOT NULL DEFAULT false,
            ADD COLUMN escalate_to_id text
        """
    )
    # While others write. One that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS promises_escalate_to")
        op.execute(
            "CREATE INDEX CONCURRENTLY promises_escalate_to ON promises (escalate_to_id, due_time, id)"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
