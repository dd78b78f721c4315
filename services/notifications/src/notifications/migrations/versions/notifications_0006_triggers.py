"""Policies on events of any service, what they heard, and notices that are sent later."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0006"
down_revision = "notifications_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE policies
            ADD COLUMN IF NOT EXISTS condition text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS variables jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN IF NOT EXISTS customer_field text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS subject_field text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS expire_after interval,
            ADD COLUMN IF NOT EXISTS cancel_event_types text[] NOT NULL DEFAULT '{}',
            ADD COLUMN IF NOT EXISTS after interval,
            ADD COLUMN IF NOT EXISTS date_field text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS days_before bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS send_hour bigint NOT NULL DEFAULT 0
        """)
    op.execute("""
        ALTER TABLE notices
            ADD COLUMN IF NOT EXISTS subject text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS trigger_event uuid,
            ADD COLUMN IF NOT EXISTS schedule_time timestamptz,
            ADD COLUMN IF NOT EXISTS send_on text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS send_hour bigint NOT NULL DEFAULT 0
        """)
    op.execute("""
        CREATE TABLE IF NOT EXISTS trigger_marks (
            notice_policy_id text NOT NULL,
            subject text NOT NULL,
            customer text NOT NULL,
            version bigint NOT NULL,
            time timestamptz NOT NULL,
            event_id uuid NOT NULL,
            PRIMARY KEY (notice_policy_id, subject, customer)
        )
        """)
    # Of promises alone: what policies on other events tell is about no promise.
    create_index(
        "notices_promise_live",
        "notices (promise, customer) WHERE concern <> '' AND state IN ('REQUESTED', 'SENDING')",
        kind="UNIQUE INDEX",
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS notices_live")
    create_index(
        "notices_trigger",
        "notices (trigger_event, customer) WHERE trigger_event IS NOT NULL",
        kind="UNIQUE INDEX",
    )
    create_index(
        "notices_subject_live",
        "notices (notice_policy_id, subject) WHERE subject <> '' AND state IN ('REQUESTED', 'SENDING')",
    )
