"""Who wrote a text, and who reviewed it, is named as everywhere: `agents/ada`."""

from alembic import op

revision = "notifications_0033"
down_revision = "notifications_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE texts SET author = regexp_replace(author, '^(agent|service):', '\\1s/')")
    op.execute("UPDATE texts SET reviewer = regexp_replace(reviewer, '^(agent|service):', '\\1s/')")
