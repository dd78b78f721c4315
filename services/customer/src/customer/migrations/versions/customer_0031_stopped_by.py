"""Who noted that a customer wants nothing more of us, where they said it, and what proves it."""

from alembic import op

revision = "customer_0031"
down_revision = "customer_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("actor", "source", "proof"):
        op.execute(f"ALTER TABLE contact_stops ADD COLUMN IF NOT EXISTS {column} text NOT NULL DEFAULT ''")
