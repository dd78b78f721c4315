"""Which purposes are of what customers have of us: no link of theirs stops them."""

from alembic import op

revision = "customer_0030"
down_revision = "customer_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE purposes ADD COLUMN IF NOT EXISTS essential boolean NOT NULL DEFAULT false")
    op.execute("UPDATE purposes SET essential = true WHERE id = 'service'")
