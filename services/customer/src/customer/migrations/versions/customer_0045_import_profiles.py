"""How departments read the files that come to them again and again."""

from alembic import op

revision = "customer_0045"
down_revision = "customer_0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS import_profiles (
            id text NOT NULL PRIMARY KEY,
            department_id text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('CUSTOMERS', 'PURCHASES', 'ORDERS', 'CONSENTS')),
            reading jsonb NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """)
