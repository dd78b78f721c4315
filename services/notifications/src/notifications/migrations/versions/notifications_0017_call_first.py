"""Until when a message waits for a person to call, and of which policy none does."""

from alembic import op

revision = "notifications_0017"
down_revision = "notifications_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE notices ADD COLUMN IF NOT EXISTS call_by_time timestamptz,"
        " ADD COLUMN IF NOT EXISTS call_outcome_code text NOT NULL DEFAULT ''"
    )
    op.execute("ALTER TABLE policies ADD COLUMN IF NOT EXISTS without_call boolean NOT NULL DEFAULT false")
