"""The statements that find customers by whatever a text may mean, each of it by an index.

Each part is found by itself and sorted then: asked for the first of an order, the planner would rather walk
through all customers in that order, for it takes every word for one that many have. So a part has a size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.aliases import survivor_of
from chassis.db.statement import Statement
from chassis.db.tables import among, rows_of
from customer.names import IDENTIFIER
from customer.store.tables import CUSTOMERS, IDENTIFIERS, METADATA

# Every word of every customer: what may be meant by another, or by a beginning.
SEARCH_WORDS = sa.Table("search_words", METADATA, sa.Column("word", sa.Text, primary_key=True))
BEGUN_MAX = 100  # words of one beginning
FOUND_MAX = 250
_BY_NAME_OR_HANDLE, _BY_END, _BY_WORDS, _BY_BEGINNINGS, _BY_SPELLING = (
    sa.literal_column(str(n), sa.Integer).label("rank") for n in range(5)
)
_I = IDENTIFIERS.c


@dataclass(slots=True)
class Found:
    """A customer, in which rank, and the identifier that matched, if one did."""

    rank: int
    customer_id: UUID
    born_id: UUID  # the name of theirs that was found
    identifier_id: UUID | None

    identifier = IDENTIFIER.named("born_id", "identifier_id")


def _customers(rank: sa.ColumnElement[int]) -> sa.Select[Any]:
    return sa.select(
        rank, CUSTOMERS.c.id.label("customer_id"), sa.null().cast(sa.Uuid).label("identifier_id")
    )


def _holders(rank: sa.ColumnElement[int], asked: Any, matches: sa.ColumnElement[bool], only: str) -> Any:
    """Who has identifiers that match. `only` is as the index says it, by which the planner recognises it."""
    indexed: sa.ColumnElement[bool] = sa.literal_column(f"({only})")
    select = sa.select(rank, _I.customer_id, _I.id.label("identifier_id"))
    return select.join_from(asked, IDENTIFIERS, sa.and_(matches, indexed)).limit(FOUND_MAX)


def _by_key(column: str) -> Any:
    asked = rows_of("asked", types=sa.Text(), systems=sa.Text(), values=sa.Text())
    matches = sa.and_(
        _I[column] == asked.c["values"],
        _I.type == asked.c.types,
        sa.or_(asked.c.systems.is_(None), _I.system == asked.c.systems),
    )
    return _holders(_BY_NAME_OR_HANDLE, asked, matches, f"identifiers.{column} <> ''")


def _by_end() -> Any:
    asked = rows_of("asked", ends=sa.Text())
    end: Any = sa.literal_column('end_of(identifiers.normalized_value) COLLATE "C"')
    matches = sa.and_(end >= asked.c.ends, end < asked.c.ends.op("||")(sa.literal_column("':'")))  # after 9
    only = "identifiers.normalized_value <> '' AND identifiers.type IN ('PHONE', 'FAX')"
    return _holders(_BY_END, asked, matches, only)


_TEXT = sa.bindparam("text", type_=sa.Text)
_NAMES = " || ' ' || ".join(
    f"customers.{name}"
    for name in ("display_name", "given_name", "additional_name", "family_name", "organization_name")
)
_WORDS: Any = sa.literal_column(f"words_of({_NAMES} || ' ' || cities_of(customers.addresses))")


def _words(vector: Any, alias: str) -> Any:
    """Its words as rows of one column, `word`; no word holds a quote."""
    words = sa.func.unnest(sa.func.tsvector_to_array(vector))
    return words.table_valued(sa.column("word", sa.Text), name=alias).render_derived()


def _all_of(each: Callable[[Any], Any]) -> Any:
    """The query for all words that are asked for; NULL, which finds nobody, of a text without any."""
    asked = _words(sa.func.words_of(_TEXT), "asked")
    query = sa.func.string_agg(each(asked.c.word), sa.literal_column("' & '")).cast(TSQUERY)
    return sa.select(query).select_from(asked)


def _after(word: Any) -> Any:
    """What comes after all that begins with a word."""
    return sa.func.concat(word, sa.literal_column("chr(1114111)")).collate("C")


def _beginning(word: Any) -> Any:
    """That word, or any that begins with it.

    These are named, where some are known and not many: of a beginning the index collects all who have one of
    its words, and of words that many have it leaves out those who have none of the others.
    """
    begin, text = SEARCH_WORDS.c.word, sa.literal_column
    known = (
        sa.select(begin)
        .where(begin >= word.collate("C"), begin < _after(word))
        .limit(BEGUN_MAX + 1)
        .correlate(word.table)
        .lateral("known")
    )
    named = sa.func.string_agg(text("' | '").op("||")(sa.func.quote_literal(known.c.word)), text("''"))
    few = sa.func.concat(text("'('"), sa.func.quote_literal(word), named, text("')'"))
    any_other = sa.func.quote_literal(word).op("||")(text("':*'"))
    is_few = sa.func.count().between(1, BEGUN_MAX)
    return (
        sa.select(sa.case((is_few, few), else_=any_other))
        .select_from(known)
        .correlate(word.table)
        .scalar_subquery()
    )


def _or_near(word: Any) -> Any:
    """That word by its beginning, or one that is spelt nearly so."""
    near = rows_of("near", near_asked=sa.Text(), near_words=sa.Text())
    other = sa.literal_column("' | '").op("||")(sa.func.quote_literal(near.c.near_words))
    others = (
        sa.select(sa.func.string_agg(other, sa.literal_column("''")))
        .where(near.c.near_asked == word)
        .scalar_subquery()
    )
    return sa.func.concat(sa.literal_column("'('"), _beginning(word), others, sa.literal_column("')'"))


_EXACTLY = _all_of(sa.func.quote_literal).scalar_subquery()
_BY_BEGINNING = _all_of(_beginning).scalar_subquery()
_has_near = sa.func.cardinality(sa.bindparam("near_words", type_=sa.ARRAY(sa.Text()))) > 0
_NEARLY = _all_of(_or_near).where(_has_near).scalar_subquery()


def _by_words(rank: sa.ColumnElement[int], query: Any, known: Any = None) -> Any:
    """Who has the words, and not those that are `known`, who were found before."""
    new = query if known is None else sa.func.tsquery_and(query, sa.func.tsquery_not(known))
    return _customers(rank).where(_WORDS.op("@@")(new)).limit(FOUND_MAX)


def _by_one_beginning() -> Any:
    """Who has a word that begins with the only one of the text: word by word, until there are enough.

    What the index collects for one of them is less than for a beginning that many words have. Where there are
    not enough, there are not many: then it costs little that they are looked for again, with words that are
    not known yet.
    """
    asked = _words(sa.func.words_of(_TEXT), "asked")
    only = sa.select(sa.func.min(asked.c.word).label("word")).having(sa.func.count() == 1).subquery("only")
    word, begin = SEARCH_WORDS.c.word, only.c.word.collate("C")
    known = (
        sa.select(word)
        .where(word > begin, word < _after(only.c.word))
        .order_by(word)
        .limit(FOUND_MAX)
        .lateral("known")
    )
    query = sa.func.tsquery_and(
        sa.func.quote_literal(known.c.word).cast(TSQUERY), sa.func.tsquery_not(_EXACTLY)
    )
    whose = _customers(_BY_BEGINNINGS).where(_WORDS.op("@@")(query)).limit(FOUND_MAX).lateral("whose")
    joined = only.join(known, sa.true()).join(whose, sa.true())
    return sa.select(whose).select_from(joined).limit(FOUND_MAX)


def _by_words_that_are_new() -> Any:
    """Who was made so lately that no word of theirs need be known: they are looked through by themselves."""
    latest = (
        sa.select(CUSTOMERS)
        .where(CUSTOMERS.c.id > sa.bindparam("latest_id", type_=sa.Uuid))
        .order_by(CUSTOMERS.c.id.desc())
        .limit(FOUND_MAX)
        .subquery("customers")
    )
    begins = _all_of(lambda word: sa.func.quote_literal(word).op("||")(sa.literal_column("':*'")))
    none = sa.null().cast(sa.Uuid).label("identifier_id")
    select = sa.select(_BY_BEGINNINGS, latest.c.id.label("customer_id"), none)
    return select.where(_WORDS.op("@@")(begins.scalar_subquery()))


def _search() -> Listing[Found]:
    named = _customers(_BY_NAME_OR_HANDLE).where(CUSTOMERS.c.id == sa.bindparam("customer_id", type_=sa.Uuid))
    parts = [
        named,
        _by_key("normalized_value"),
        _by_key("shared_value"),
        _by_end(),
        _by_words(_BY_WORDS, _EXACTLY),
        _by_words_that_are_new(),
        _by_one_beginning(),
        _by_words(_BY_BEGINNINGS, _BY_BEGINNING, _EXACTLY),
        _by_words(_BY_SPELLING, _NEARLY, _BY_BEGINNING),
    ]
    # One after the other, until there are enough: of a name that many have nothing less is looked for.
    found = sa.union_all(*(sa.select(part.subquery()) for part in parts)).limit(FOUND_MAX).subquery()
    whose = survivor_of(found.c.customer_id)
    each = (  # once, for the best and then the oldest reason
        sa.select(
            found.c.rank,
            whose.label("customer_id"),
            found.c.customer_id.label("born_id"),
            found.c.identifier_id,
        )
        .ext(distinct_on(whose))
        .order_by(whose, found.c.rank, found.c.identifier_id)
        .subquery("found")
    )
    return Listing(sa.select(each), each.c.rank, each.c.customer_id, row=Found, default_size=20, size_max=100)


SEARCH = _search()

MISSPELT_MIN, SPELT_MAX = 4, 20  # letters
NEAR_MAX = 500  # words that are looked at for one
ASKED_MAX = 6  # words of a text for which others are looked for


_learnt = _words(_WORDS, "learnt")
# In their order, so that two who learn the same words do not each wait for the other.
LEARN_WORDS = Statement[Any](
    insert(SEARCH_WORDS)
    .from_select(
        ["word"],
        sa.select(_learnt.c.word)
        .distinct()
        .select_from(CUSTOMERS.join(_learnt, sa.true()))
        .where(among(CUSTOMERS.c.id, "ids"))
        .order_by(_learnt.c.word),
    )
    .on_conflict_do_nothing()
)


def _near(word: Any) -> Any:
    return sa.func.near_of(word, type_=ARRAY(sa.Text))


_in_text = _words(sa.func.words_of(_TEXT), "in_text")
_mistaken = (
    sa.select(_in_text.c.word)
    .where(
        sa.func.length(_in_text.c.word).between(MISSPELT_MIN, SPELT_MAX),
        _in_text.c.word.op("!~")(sa.literal_column("'[0-9]'")),
    )
    .limit(ASKED_MAX)
    .subquery("mistaken")
)
_meant = (
    sa.select(SEARCH_WORDS.c.word)
    .where(_near(SEARCH_WORDS.c.word).op("&&")(_near(_mistaken.c.word)))  # of what has digits nothing is left
    .limit(NEAR_MAX)
    .lateral("meant")
)
# For the words of a text, those that have in common what `near_of` leaves of them.
NEAR_WORDS = Statement[Any](
    sa.select(_mistaken.c.word.label("asked"), _meant.c.word).select_from(_mistaken.join(_meant, sa.true()))
)
