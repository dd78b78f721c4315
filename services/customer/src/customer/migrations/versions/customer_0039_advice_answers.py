"""What was answered to advice, so that the same does not come back for the same cause."""

from alembic import op

revision = "customer_0039"
down_revision = "customer_0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS advice_answers (
            customer_id uuid NOT NULL,
            id uuid NOT NULL,
            rule text NOT NULL,
            evidence text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('DONE', 'DISMISSED', 'NOT_NOW')),
            until_time timestamptz,
            reason_code text NOT NULL,
            actor text NOT NULL,
            answer_time timestamptz NOT NULL,
            version bigint NOT NULL,
            PRIMARY KEY (customer_id, id)
        )
        """)
    op.execute("""
        CREATE INDEX IF NOT EXISTS advice_answers_latest
        ON advice_answers (customer_id, answer_time, id)
        """)
