"""What the clock took of lots: who gives the purchase back does not owe it."""

from alembic import op

revision = "loyalty_0021"
down_revision = "loyalty_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of what ended before it is not known: that is owed as before.
    op.execute("ALTER TABLE lots ADD COLUMN expired bigint NOT NULL DEFAULT 0")
