"""By which identifier a yes is confirmed, and as of which version of its row it waits for that."""

from alembic import op

revision = "customer_0027"
down_revision = "customer_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Tokens of before are good for a week, and were made for no address: none of them confirms any more.
    op.execute("""
        ALTER TABLE consent_tokens
            ADD COLUMN IF NOT EXISTS identifier_id uuid NOT NULL
                DEFAULT '00000000-0000-0000-0000-000000000000'
        """)
    for table in ("consents", "consent_history"):
        op.execute(f"""
            ALTER TABLE {table}
                ADD COLUMN IF NOT EXISTS asked_version bigint NOT NULL DEFAULT 0
            """)
