"""Work may be a call to a customer, and a department says what its people say then."""

from alembic import op

revision = "cases_0026"
down_revision = "cases_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, which the release before writes: it does not know of calls.
    op.execute("ALTER TABLE departments ADD COLUMN call_scripts jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE work_items ADD COLUMN calling jsonb")
    is_open = "WHERE calling IS NOT NULL AND state <> 'FINISHED'"
    _index("work_items_calls", f"((calling ->> 'promise_id')) {is_open}")
    _index("work_items_call_notice", "((calling ->> 'notice_id')) WHERE calling ? 'notice_id'", unique=True)
    _index("work_items_customer", "(customer_id, id)")
    _index("work_items_kind", "(kind, id)")


def _index(name: str, what: str, *, unique: bool = False) -> None:
    """Make an index while others write. One that was interrupted left one that nobody uses."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON work_items {what}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
