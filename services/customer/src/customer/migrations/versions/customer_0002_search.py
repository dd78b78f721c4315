"""Customers are found by words of their names, any of their handles, and the last digits of a number."""

from alembic import op

from chassis.db.indexes import create_index
from chassis.db.words import WORDS_OF

revision = "customer_0002"
down_revision = "customer_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(WORDS_OF)
    # Backwards, without an extension: an index knows how a text begins. Costly, as words_of: the planner must
    # never take it for cheaper to ask it of each row than to ask the index.
    op.execute("""
        CREATE OR REPLACE FUNCTION end_of(number text) RETURNS text
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        BEGIN
            RETURN reverse(split_part(number, ';', 1));
        END $$
        """)
    # Each write goes into the index at once: a list of what is still to go in would be read by every search.
    create_index(
        "customers_names",
        """
        customers USING gin (words_of(
            display_name || ' ' || given_name || ' ' || additional_name || ' ' || family_name || ' '
            || organization_name
        )) WITH (fastupdate = off)
        """,
    )
    # For a value whose type nobody says, and in the place of the one that numbers were found by.
    create_index("identifiers_value", "identifiers (normalized_value, type) WHERE normalized_value <> ''")
    create_index(
        "identifiers_end",
        """
        identifiers (end_of(normalized_value) COLLATE "C")
        WHERE normalized_value <> '' AND type IN ('PHONE', 'FAX')
        """,
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS identifiers_number")
