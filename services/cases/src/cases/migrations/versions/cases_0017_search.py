"""Cases are found by words and by references."""

from alembic import op

from chassis.db.indexes import create_index
from chassis.db.words import WORDS_OF

revision = "cases_0017"
down_revision = "cases_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(WORDS_OF)
    # Each write goes into the index at once: a list of what is still to go in would be read by every search.
    create_index(
        "cases_words",
        "cases USING gin (words_of(display_name || ' ' || topic)) WITH (fastupdate = off)",
    )
    create_index("work_items_reference", "work_items (reference, id) WHERE reference <> ''")
