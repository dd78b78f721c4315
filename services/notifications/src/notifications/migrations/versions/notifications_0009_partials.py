"""Which versions of partials stood in what was handed over."""

from alembic import op

revision = "notifications_0009"
down_revision = "notifications_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS text_partials text[] NOT NULL DEFAULT '{}'")
