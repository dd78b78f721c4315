"""Why two are not linked who would be is kept beside what bars these two."""

from alembic import op

revision = "customer_0015"
down_revision = "customer_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes.
    op.execute("ALTER TABLE match_candidates ADD COLUMN IF NOT EXISTS held_back text NOT NULL DEFAULT ''")
