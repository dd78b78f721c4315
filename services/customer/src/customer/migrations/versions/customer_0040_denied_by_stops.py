"""Which stop denies a consent, of which nobody said so themselves."""

from alembic import op

revision = "customer_0040"
down_revision = "customer_0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("consents", "consent_history"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS stop_time timestamptz")
