"""Notices wait while their customer wants quiet, but for those that are urgent."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0002"
down_revision = "notifications_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE templates ADD COLUMN IF NOT EXISTS urgent boolean NOT NULL DEFAULT false")
    op.execute("""
        ALTER TABLE notices
            ADD COLUMN IF NOT EXISTS urgent boolean NOT NULL DEFAULT false,
            ADD COLUMN IF NOT EXISTS defer_time timestamptz,
            ADD COLUMN IF NOT EXISTS defer_reason_code text NOT NULL DEFAULT ''
        """)
    create_index("notices_deferred", "notices (customer) WHERE defer_time IS NOT NULL")
