"""What comes back after its end has days of grace once."""

from alembic import op

revision = "loyalty_0023"
down_revision = "loyalty_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE lots ADD COLUMN is_grace boolean NOT NULL DEFAULT false")
