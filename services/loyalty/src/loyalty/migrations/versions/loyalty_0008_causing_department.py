"""Who has to keep a promise: what goodwill for it costs is theirs."""

from alembic import op

revision = "loyalty_0008"
down_revision = "loyalty_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of promises that were told before it is not known.
    op.execute("ALTER TABLE promises ADD COLUMN department_id text")
