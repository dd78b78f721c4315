"""What customers agree to, in versions, and on which channels they confirm it."""

from alembic import op

revision = "customer_0026"
down_revision = "customer_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS wordings (
            purpose_id text NOT NULL REFERENCES purposes,
            language text NOT NULL,
            version bigint NOT NULL,
            text text NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (purpose_id, language, version)
        )
        """)
    op.execute("""
        CREATE TABLE IF NOT EXISTS consent_tokens (
            token_hash text PRIMARY KEY,
            customer_id uuid NOT NULL,
            consent_id text NOT NULL,
            effective_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            actor text NOT NULL
        )
        """)
    op.execute("CREATE INDEX IF NOT EXISTS consent_tokens_customer ON consent_tokens (customer_id)")
    # With defaults, which the release before writes: to it, what waits to be confirmed is denied.
    op.execute("""
        ALTER TABLE purposes
            ADD COLUMN IF NOT EXISTS double_opt_in_channels text[] NOT NULL DEFAULT '{}'
        """)
    for table in ("consents", "consent_history"):
        op.execute(f"""
            ALTER TABLE {table}
                ADD COLUMN IF NOT EXISTS wording text NOT NULL DEFAULT '',
                ADD COLUMN IF NOT EXISTS confirm_expire_time timestamptz,
                ADD COLUMN IF NOT EXISTS confirm_time timestamptz
            """)
