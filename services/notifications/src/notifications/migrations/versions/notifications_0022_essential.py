"""Which templates are for what customers have of us."""

from alembic import op

revision = "notifications_0022"
down_revision = "notifications_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE templates ADD COLUMN IF NOT EXISTS essential boolean NOT NULL DEFAULT false")
    op.execute("UPDATE templates SET essential = true WHERE purpose = 'purposes/service'")
