"""What becomes of what is earned of a unit is called as others see it, and is absent where nothing does."""

from alembic import op

revision = "loyalty_0010"
down_revision = "loyalty_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE units ADD COLUMN lot_policy jsonb")
    op.execute("UPDATE units SET lot_policy = lots WHERE lots <> '{}'")
    # No release has read it.
    op.execute(
        """
        -- squawk-ignore ban-drop-column
        ALTER TABLE units DROP COLUMN lots
        """
    )
