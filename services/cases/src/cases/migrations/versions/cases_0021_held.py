"""Work is held while what it waits for cannot go on. No release has blocked work: none is held yet."""

from alembic import op

revision = "cases_0021"
down_revision = "cases_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE work_items ADD COLUMN held boolean NOT NULL DEFAULT false")
