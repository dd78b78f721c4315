"""What customers are to each other, and who has not bought yet: no release before knows of merges."""

from alembic import op

revision = "customer_0009"
down_revision = "customer_0008"
branch_labels = None
depends_on = None

_CHUNK = 10_000


def upgrade() -> None:
    # What is there already, an interrupted run has left.
    op.execute("""
        CREATE TABLE IF NOT EXISTS relationships (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL REFERENCES customers,
            related_customer_id uuid NOT NULL REFERENCES customers,
            kind text NOT NULL,
            role text NOT NULL,
            start_time timestamptz,
            end_time timestamptz,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK (customer_id <> related_customer_id)
        )
        """)
    op.execute("""
        CREATE UNIQUE INDEX IF NOT EXISTS relationships_holding
        ON relationships (customer_id, related_customer_id, kind) WHERE end_time IS NULL
        """)
    for side in ("customer", "related_customer"):
        op.execute(
            f"CREATE INDEX IF NOT EXISTS relationships_{side} ON relationships ({side}_id, create_time, id)"
        )
    # With a default, which the release before writes.
    op.execute("""
        ALTER TABLE customers
            ADD COLUMN IF NOT EXISTS bought boolean NOT NULL DEFAULT false,
            ADD COLUMN IF NOT EXISTS prospect boolean NOT NULL DEFAULT true
        """)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        _buyers()
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS customers_prospect")
        op.execute("CREATE INDEX CONCURRENTLY customers_prospect ON customers (prospect, create_time, id)")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")


def _buyers() -> None:
    """Make customers of those whose timelines have a purchase, however old, a chunk at a time.

    What is told from now on, and what the stream still holds, is heard beside. One that was interrupted
    begins again: who is known to have bought is passed over.
    """
    op.execute(f"""
        DO $$
        DECLARE
            past uuid := '00000000-0000-0000-0000-000000000000';
            until uuid;
        BEGIN
            LOOP
                SELECT id INTO until FROM (
                    SELECT id FROM customers WHERE id > past ORDER BY id LIMIT {_CHUNK}
                ) chunk ORDER BY id DESC LIMIT 1;
                EXIT WHEN until IS NULL;
                UPDATE customers SET bought = true, prospect = false
                WHERE NOT bought AND id > past AND id <= until AND EXISTS (
                    SELECT FROM timeline WHERE timeline.customer_id = customers.id
                    AND event_type = 'rapport.loyalty.v1.PurchaseRecorded' AND coalesce(amount, 0) >= 0
                );
                COMMIT;
                past := until;
            END LOOP;
        END $$
        """)  # noqa: S608 - of a constant
