"""Notices about promises that came back after a provider had accepted them."""

from alembic import op

revision = "cases_0033"
down_revision = "cases_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE promises ADD COLUMN bounced_notice_id uuid")
