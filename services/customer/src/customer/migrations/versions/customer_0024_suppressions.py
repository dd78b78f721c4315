"""Addresses to which nothing is sent."""

from alembic import op

revision = "customer_0024"
down_revision = "customer_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS suppressions (
            id uuid PRIMARY KEY,
            address_hash text NOT NULL,
            key_id text NOT NULL,
            type text NOT NULL CHECK (type IN ('EMAIL', 'PHONE')),
            reason text NOT NULL,
            category text NOT NULL,
            source text NOT NULL,
            actor text NOT NULL,
            create_time timestamptz NOT NULL,
            release_actor text NOT NULL,
            release_reason_code text NOT NULL,
            release_time timestamptz,
            version bigint NOT NULL
        )
        """)
    op.execute("""
        CREATE UNIQUE INDEX IF NOT EXISTS suppressions_holding
        ON suppressions (address_hash, reason, category) WHERE release_time IS NULL
        """)
    op.execute("CREATE INDEX IF NOT EXISTS suppressions_address ON suppressions (address_hash, id)")
    op.execute("CREATE INDEX IF NOT EXISTS suppressions_reason ON suppressions (reason, id)")
    op.execute("CREATE INDEX IF NOT EXISTS suppressions_released ON suppressions (release_time, id)")
