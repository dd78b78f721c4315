"""Imports that nobody goes on with end, also those that were left before."""

from alembic import op

revision = "customer_0004"
down_revision = "customer_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A new database has neither imports nor, before the chassis' own revision, timers.
    op.execute("""
        DO $$ BEGIN
            IF to_regclass('timers') IS NOT NULL THEN
                INSERT INTO timers (id, kind, key, due_at, correlation_id, causation_id, traceparent)
                SELECT gen_random_uuid(), 'expire-import', id::text, now() + interval '7 days',
                    id::text, id, ''
                FROM import_jobs WHERE state = 'OPEN'
                ON CONFLICT (kind, key) DO NOTHING;
            END IF;
        END $$
        """)
