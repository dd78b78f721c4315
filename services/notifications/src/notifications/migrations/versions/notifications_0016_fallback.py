"""By which channels a notice goes, one after the other."""

from alembic import op

revision = "notifications_0016"
down_revision = "notifications_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("notices", "policies"):
        op.execute(f"""
            ALTER TABLE {table}
                ADD COLUMN IF NOT EXISTS channels text[] NOT NULL DEFAULT '{{}}',
                ADD COLUMN IF NOT EXISTS fallback_after interval
            """)
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS spent jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE attempts ADD COLUMN IF NOT EXISTS channel text NOT NULL DEFAULT ''")
