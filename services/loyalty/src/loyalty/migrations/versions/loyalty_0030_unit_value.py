"""What units are worth, where it is said."""

from alembic import op

revision = "loyalty_0030"
down_revision = "loyalty_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE units ADD COLUMN value jsonb")
