"""Why what is on a timeline was done."""

from alembic import op

revision = "customer_0003"
down_revision = "customer_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of the column.
    op.execute("ALTER TABLE timeline ADD COLUMN reason_code text NOT NULL DEFAULT ''")
