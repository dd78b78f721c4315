"""In which language who reads none of a purpose's wordings is asked, and who wrote these."""

from alembic import op

revision = "customer_0032"
down_revision = "customer_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE purposes ADD COLUMN IF NOT EXISTS default_language_code text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE wordings ADD COLUMN IF NOT EXISTS actor text NOT NULL DEFAULT ''")
