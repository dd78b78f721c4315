"""Customers are found by cities too, and by words that are spelt a little otherwise."""

from alembic import op

revision = "customer_0010"
down_revision = "customer_0009"
branch_labels = None
depends_on = None

_NAMES = (
    "display_name || ' ' || given_name || ' ' || additional_name || ' ' || family_name || ' '"
    " || organization_name || ' ' || cities_of(addresses)"
)


def upgrade() -> None:
    # Costly, as words_of: the planner must never take them for cheaper to ask of each row than of the index.
    op.execute("""
        CREATE OR REPLACE FUNCTION cities_of(addresses text) RETURNS text
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        BEGIN
            IF addresses = '' THEN
                RETURN '';
            END IF;
            RETURN coalesce((
                SELECT string_agg(each -> 'postal_address' ->> 'locality', ' ')
                FROM jsonb_array_elements(addresses::jsonb) AS each
            ), '');
        END $$
        """)
    # A word, and what is left of it without any letter, of a long one without any two. Two words of which the
    # same is left are spelt alike but for so many letters, or two that changed places.
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
        $$
        """)
    op.execute('CREATE TABLE IF NOT EXISTS search_words (word text COLLATE "C" PRIMARY KEY)')
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS customers_words")
        # The release before searches by `customers_names`, which goes with a release after this one.
        op.execute(
            f"CREATE INDEX CONCURRENTLY customers_words ON customers USING gin (words_of({_NAMES}))"
            " WITH (fastupdate = off)"
        )
        # What is made while this runs is heard of later: `customer-words` begins where the stream does.
        op.execute(f"""
            INSERT INTO search_words
            SELECT DISTINCT word FROM customers, unnest(tsvector_to_array(words_of({_NAMES}))) AS word
            WHERE length(word) BETWEEN 3 AND 20 AND word !~ '[0-9]'
            ON CONFLICT DO NOTHING
            """)  # noqa: S608 - of constants
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS search_words_near")
        op.execute(
            "CREATE INDEX CONCURRENTLY search_words_near ON search_words USING gin (near_of(word))"
            " WITH (fastupdate = off)"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
