"""Days before a day are counted where the customer lives; bad news says what happens next."""

from alembic import op

revision = "notifications_0015"
down_revision = "notifications_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS days_before bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE templates ADD COLUMN IF NOT EXISTS bad_news boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE texts ADD COLUMN IF NOT EXISTS next_step text NOT NULL DEFAULT ''")
