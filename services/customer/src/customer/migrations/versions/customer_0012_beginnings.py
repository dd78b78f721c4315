"""Every word is known, also those with digits and very long ones: beginnings are looked up among them."""

from alembic import op

revision = "customer_0012"
down_revision = "customer_0011"
branch_labels = None
depends_on = None

_NAMES = (
    "display_name || ' ' || given_name || ' ' || additional_name || ' ' || family_name || ' '"
    " || organization_name || ' ' || cities_of(addresses)"
)


def upgrade() -> None:
    # As before of words that may be misspelt, which is all that there are so far; nothing of others.
    op.execute("""
        CREATE OR REPLACE FUNCTION near_of(word text) RETURNS text[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
            SELECT array_agg(DISTINCT less) FROM (
                SELECT word AS less
                UNION ALL
                SELECT overlay(word PLACING '' FROM i FOR 1) FROM generate_series(1, length(word)) AS i
                UNION ALL
                SELECT overlay(overlay(word PLACING '' FROM j FOR 1) PLACING '' FROM i FOR 1)
                FROM generate_series(1, length(word)) AS i, generate_series(i + 1, length(word)) AS j
                WHERE length(word) >= 7
            ) AS every
            WHERE length(word) BETWEEN 3 AND 20 AND word !~ '[0-9]'
        $$
        """)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"""
            INSERT INTO search_words
            SELECT DISTINCT word FROM customers, unnest(tsvector_to_array(words_of({_NAMES}))) AS word
            ON CONFLICT DO NOTHING
            """)  # noqa: S608 - of constants
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
