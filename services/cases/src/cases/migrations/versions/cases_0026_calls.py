"""Work may be a call to a customer, and a department says what its people say then."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0026"
down_revision = "cases_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of calls.
    op.execute("ALTER TABLE departments ADD COLUMN IF NOT EXISTS call_scripts jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE work_items ADD COLUMN IF NOT EXISTS calling jsonb")
    create_index(
        "work_items_calls",
        "work_items ((calling ->> 'promise_id')) WHERE calling IS NOT NULL AND state <> 'FINISHED'",
    )
    create_index(
        "work_items_call_notice",
        "work_items ((calling ->> 'notice_id')) WHERE calling ? 'notice_id'",
        kind="UNIQUE INDEX",
    )
    create_index("work_items_customer", "work_items (customer_id, id)")
    create_index("work_items_kind", "work_items (kind, id)")
