"""Searching texts by their words: case, accents and punctuation do not count, in any script.

    WORDS = words_of(CASES.c.display_name)          # with a GIN index on the same expression
    select(CASES).where(WORDS.op("@@")(all_words(sa.bindparam("text", type_=sa.Text), beginning)))

A service that searches has the function `words_of` made by its migration: `op.execute(WORDS_OF)`.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

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
# Costly: the planner must never take it for cheaper to ask it of each row than to ask an index. It
# never changes, for indexes hold what it said: what is to be said otherwise is another function.
WORDS_OF = f"""
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


def words_of(text: Any) -> Any:
    """SQL: the words of a text, a tsvector."""
    return sa.func.words_of(text)


def each_word(vector: Any, alias: str) -> Any:
    """SQL: words as rows of one column, `word`; no word holds a quote."""
    words = sa.func.unnest(sa.func.tsvector_to_array(vector))
    return words.table_valued(sa.column("word", sa.Text), name=alias).render_derived()


def whole(word: Any) -> Any:
    """SQL: the query for a word as it is."""
    return sa.func.quote_literal(word)


def beginning(word: Any) -> Any:
    """SQL: the query for every word that begins so."""
    return sa.func.quote_literal(word).op("||")(sa.literal_column("':*'"))


def all_words(text: Any, each: Callable[[Any], Any] = whole) -> Any:
    """SQL: the query for all words of a text, each by `whole` or `beginning`.

    NULL, which finds nothing, of a text without any.
    """
    asked = each_word(words_of(text), "asked")
    query = sa.func.string_agg(each(asked.c.word), sa.literal_column("' & '")).cast(TSQUERY)
    return sa.select(query).select_from(asked).scalar_subquery()
