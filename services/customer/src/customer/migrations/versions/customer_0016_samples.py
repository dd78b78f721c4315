"""Words that many have are found in a part of all customers; names without spaces by each of their parts."""

from alembic import op

from chassis.db.indexes import create_index

revision = "customer_0016"
down_revision = "customer_0015"
branch_labels = None
depends_on = None

_NAMES = (
    "display_name || ' ' || given_name || ' ' || additional_name || ' ' || family_name || ' '"
    " || organization_name || ' ' || cities_of(addresses)"
)
# Kana, ideographs, and what is left of Hangul once it is taken apart.
_WITHOUT_SPACES = "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"


def upgrade() -> None:
    # Costly, as words_of: the planner must never take them for cheaper to ask of each row than of the index.
    op.execute(f"""
        CREATE OR REPLACE FUNCTION with_tails(words tsvector) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        BEGIN
            IF words::text !~ '{_WITHOUT_SPACES}' THEN
                RETURN words;
            END IF;
            RETURN array_to_tsvector(tsvector_to_array(words) || ARRAY(
                SELECT right(word, -i)
                FROM unnest(tsvector_to_array(words)) AS word, generate_series(1, length(word) - 1) AS i
                WHERE length(word) <= 20 AND word ~ '^{_WITHOUT_SPACES}+$'
            ));
        END $$
        """)  # noqa: S608 - of constants
    op.execute("""
        CREATE OR REPLACE FUNCTION with_samples(words tsvector, id uuid) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        DECLARE
            chance int := get_byte(uuid_send(id), 15);
            every text[] := tsvector_to_array(words);
        BEGIN
            IF chance % 8 <> 0 THEN
                RETURN words;
            END IF;
            RETURN array_to_tsvector(every
                || ARRAY(SELECT '~' || word FROM unnest(every) AS word)
                || ARRAY(SELECT '~~' || word FROM unnest(every) AS word WHERE chance % 128 = 0));
        END $$
        """)
    create_index(
        "customers_found",
        f"customers USING gin (with_samples(with_tails(words_of({_NAMES})), id)) WITH (fastupdate = off)",
    )
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS customers_words")  # which no release searches by
        op.execute(f"""
            INSERT INTO search_words
            SELECT DISTINCT word
            FROM customers, unnest(tsvector_to_array(with_tails(words_of({_NAMES})))) AS word
            ON CONFLICT DO NOTHING
            """)  # noqa: S608 - of constants
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
