"""Who earned, as rules saw them then: what is corrected is reckoned anew for them."""

from alembic import op

revision = "loyalty_0020"
down_revision = "loyalty_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of what earned before it is not known: that is reckoned for who they are today.
    op.execute("ALTER TABLE earnings ADD COLUMN earners jsonb NOT NULL DEFAULT '[]'")
