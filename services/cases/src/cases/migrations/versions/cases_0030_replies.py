"""Topics say for how long what the customer says of a resolved case brings it up."""

from alembic import op

revision = "cases_0030"
down_revision = "cases_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE topics
            ADD COLUMN reply_days bigint NOT NULL DEFAULT 0
        """
    )
