"""What providers report of messages that they accepted."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0008"
down_revision = "notifications_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS deliver_time timestamptz")
    op.execute("""
        ALTER TABLE attempts
            ADD COLUMN IF NOT EXISTS delivery text NOT NULL DEFAULT 'UNSPECIFIED',
            ADD COLUMN IF NOT EXISTS delivery_code text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS delivery_time timestamptz,
            ADD COLUMN IF NOT EXISTS complaint_time timestamptz
        """)
    create_index("attempts_provider_key", "attempts (provider_key, number)")
