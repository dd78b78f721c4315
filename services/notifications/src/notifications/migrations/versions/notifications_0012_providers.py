"""How it is with providers, for which notices wait while they take nothing."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0012"
down_revision = "notifications_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS providers (
            id text PRIMARY KEY,
            channel text NOT NULL,
            state text NOT NULL,
            state_time timestamptz NOT NULL,
            failures bigint NOT NULL,
            openings bigint NOT NULL,
            last_error_code text NOT NULL,
            last_error_time timestamptz,
            retry_time timestamptz,
            free_time timestamptz
        )
        """)
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS waits_for text NOT NULL DEFAULT ''")
    create_index("notices_waits_for", "notices (waits_for) WHERE waits_for <> ''")
    create_index("attempts_provider", "attempts (provider, start_time)")
