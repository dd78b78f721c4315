"""Customers are found by words of their names, any of their handles, and the last digits of a number."""

import unicodedata

from alembic import op

revision = "customer_0002"
down_revision = "customer_0001"
branch_labels = None
depends_on = None

# The same on every server, whatever its locale: an index on what a locale says is wrong once that changes.
# ASCII is lowered by the collation C, every other letter by this list, and some that are no letter with an
# accent become what they are typed as elsewhere.
_TYPED_AS = dict(zip("ØøĐđĦħŁłẞ\u0131\u03c2", "ooddhhllßi\u03c3", strict=True))
_CAPITALS = [
    letter
    for letter in map(chr, range(0x80, 0x590))  # Latin, Greek, Cyrillic, Armenian: no other has capitals
    if letter not in _TYPED_AS and unicodedata.normalize("NFKD", letter) == letter != letter.lower()
]
_FROM = "".join([*_CAPITALS, *_TYPED_AS])
_TO = "".join([*(letter.lower() for letter in _CAPITALS), *_TYPED_AS.values()])
# Accents, Hebrew points, Arabic vowels and tatweel, and joiners.
_PASSED_OVER = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"
    "\u200b-\u200f\u2060"
)
# Spaces and punctuation, so that no quote is in a word. 々 is a letter.
_BETWEEN = (
    "\u0001-/:-@[-`{-\u00bf\u02b9-\u02bf\u055a-\u055f\u0589\u058a\u05be\u05f3\u05f4\u060c\u061b\u061f\u2000-\u206f"
    "\u2e00-\u2e7f\u3000-\u3003\u3008-\u3020\u3030\u30fb"
).replace("[", "\\[")
# More than any name has; what NFKD writes out may be longer than a word of a tsvector.
_CHARACTERS_MAX = 100


def upgrade() -> None:
    # Costly, both: the planner must never take it for cheaper to ask them of each row than to ask the index.
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION words_of(names text) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        DECLARE
            plain text COLLATE "C" := lower(names COLLATE "C");
        BEGIN
            IF octet_length(plain) > length(plain) THEN  -- not of ASCII alone
                plain := regexp_replace(normalize(plain, NFKD), '[{_PASSED_OVER}]', '', 'g');
                plain := lower(plain);
            END IF;
            IF octet_length(plain) > length(plain) THEN  -- not even without accents
                plain := replace(replace(translate(plain, '{_FROM}', '{_TO}'), 'ß', 'ss'), 'æ', 'ae');
            END IF;
            RETURN array_to_tsvector(ARRAY(
                SELECT left(word, {_CHARACTERS_MAX})
                FROM regexp_split_to_table(plain, '[{_BETWEEN}]+') AS word WHERE word <> ''
            ));
        END $$
        """  # noqa: S608 - of constants
    )
    # Backwards, without an extension: an index knows how a text begins.
    op.execute("""
        CREATE OR REPLACE FUNCTION end_of(number text) RETURNS text
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
        BEGIN
            RETURN reverse(split_part(number, ';', 1));
        END $$
        """)
    # Each write goes into the index at once: a list of what is still to go in would be read by every search.
    _index(
        "customers_names",
        """
        ON customers USING gin (words_of(
            display_name || ' ' || given_name || ' ' || additional_name || ' ' || family_name || ' '
            || organization_name
        )) WITH (fastupdate = off)
        """,
    )
    # For a value whose type nobody says, and in the place of the one that numbers were found by.
    _index("identifiers_value", "ON identifiers (normalized_value, type) WHERE normalized_value <> ''")
    _index(
        "identifiers_end",
        """
        ON identifiers (end_of(normalized_value) COLLATE "C")
        WHERE normalized_value <> '' AND type IN ('PHONE', 'FAX')
        """,
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS identifiers_number")


def _index(name: str, on: str) -> None:
    """Make an index while others write, which takes no lock that anybody waits for.

    It waits for transactions that began before, so it may do so for longer than a statement that locks. One
    that was interrupted has left an index that nobody uses.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} {on}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
