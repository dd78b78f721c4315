"""Cases are found by words and by references."""

from alembic import op

from chassis.db.words import WORDS_OF

revision = "cases_0017"
down_revision = "cases_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(WORDS_OF)
    # Each write goes into the index at once: a list of what is still to go in would be read by every search.
    _index(
        "cases_words",
        "cases USING gin (words_of(display_name || ' ' || topic)) WITH (fastupdate = off)",
    )
    _index("work_items_reference", "work_items (reference, id) WHERE reference <> ''")


def _index(name: str, on: str) -> None:
    """Make an index while others write. One that was interrupted has left an index that nobody uses."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
