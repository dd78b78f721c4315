"""Where what a closed membership held went is kept, for what is given back later to be taken from there."""

from alembic import op

revision = "loyalty_0028"
down_revision = "loyalty_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE memberships ADD COLUMN received_by_id uuid")
    op.execute(
        """
        ALTER TABLE memberships
            ADD CONSTRAINT received_when_closed CHECK (
                received_by_id IS NULL OR (state = 'CLOSED' AND received_by_id <> id)
            ) NOT VALID
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE memberships DROP COLUMN received_by_id")
