"""The statements that find customers by whatever a text may mean, each of it by an index.

Each part is found by itself and sorted then: asked for the first of an order, the planner would rather walk
through all customers in that order, for it takes every word for one that many have. So a part has a size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from chassis.db.aliases import survivor_of
from chassis.db.statement import Statement
from chassis.db.words import each_word, words_of
from customer.names import IDENTIFIER
from customer.store.tables import CUSTOMERS, IDENTIFIERS, METADATA

# Every word of every customer: what may be meant by another, or by a beginning.
SEARCH_WORDS = sa.Table("search_words", METADATA, sa.Column("word", sa.Text, primary_key=True))
BEGUN_MAX = 100  # words of one beginning
FOUND_MAX = 100
# As a literal: of a limit that is a parameter the planner believes that it is a tenth of all.
_MOST: Any = sa.literal_column(str(FOUND_MAX))
_BY_NAME_OR_HANDLE, _BY_END, _BY_WORDS, _BY_BEGINNINGS, _BY_SPELLING = (
    sa.literal_column(str(n), sa.Integer).label("rank") for n in range(5)
)
_I = IDENTIFIERS.c


def _given(name: str, kind: Any) -> Any:
    """A parameter that the planner does not look at.

    So a plan for these values costs what one for any does, and it is made once: that takes longer than most
    searches.
    """
    return sa.select(sa.bindparam(name, type_=kind)).scalar_subquery()


def _given_rows(alias: str, **columns: Any) -> Any:
    """As `rows_of`, of parameters that the planner does not look at."""
    arrays = [_given(name, ARRAY(kind)) for name, kind in columns.items()]
    named = [sa.column(name, kind) for name, kind in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*named, name=alias).render_derived()


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
    return select.join_from(asked, IDENTIFIERS, sa.and_(matches, indexed)).limit(_MOST)


def _by_key(column: str) -> Any:
    asked = _given_rows("asked", types=sa.Text(), systems=sa.Text(), values=sa.Text())
    matches = sa.and_(
        _I[column] == asked.c["values"],
        _I.type == asked.c.types,
        sa.or_(asked.c.systems.is_(None), _I.system == asked.c.systems),
    )
    return _holders(_BY_NAME_OR_HANDLE, asked, matches, f"identifiers.{column} <> ''")


def _by_end() -> Any:
    asked = _given_rows("asked", ends=sa.Text())
    end: Any = sa.literal_column('end_of(identifiers.normalized_value) COLLATE "C"')
    matches = sa.and_(end >= asked.c.ends, end < asked.c.ends.op("||")(sa.literal_column("':'")))  # after 9
    only = "identifiers.normalized_value <> '' AND identifiers.type IN ('PHONE', 'FAX')"
    return _holders(_BY_END, asked, matches, only)


TEXT: Any = _given("text", sa.Text)
_NAMES = " || ' ' || ".join(
    f"customers.{name}"
    for name in ("display_name", "given_name", "additional_name", "family_name", "organization_name")
)
_WORDS_OF = f"with_tails(words_of({_NAMES} || ' ' || cities_of(customers.addresses)))"
WORDS: Any = sa.literal_column(_WORDS_OF)
_FOUND_BY: Any = sa.literal_column(f"with_samples({_WORDS_OF}, customers.id)")  # as the index has it
# The words of every 128th customer are there with two marks before them, too, those of every eighth with one,
# and of all as they are: of what very many have there are enough among few, and the list of all is not read.
_MARK, _MARKS = "~", ("~~", "~", "")


def _quoted(word: Any) -> Any:
    """The query for a word that is marked; no word holds a mark."""
    return sa.func.quote_literal(sa.literal_column(f"'{_MARK}'").op("||")(word))


def _all_of(each: Callable[[Any], Any]) -> sa.Select[Any]:
    """The query for all words that are asked for, each marked, as text; NULL of a text without any."""
    asked = each_word(words_of(TEXT), "asked")
    query = sa.func.string_agg(each(asked.c.word), sa.literal_column("' & '"))
    return sa.select(query.label("query")).select_from(asked)


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
        .limit(sa.literal_column(str(BEGUN_MAX + 1)))
        .correlate(word.table)
        .lateral("known")
    )
    named = sa.func.string_agg(text("' | '").op("||")(_quoted(known.c.word)), text("''"))
    few = sa.func.concat(text("'('"), _quoted(word), named, text("')'"))
    is_few = sa.func.count().between(text("1"), text(str(BEGUN_MAX)))
    return (
        sa.select(sa.case((is_few, few), else_=_quoted(word).op("||")(text("':*'"))))
        .select_from(known)
        .correlate(word.table)
        .scalar_subquery()
    )


def _or_near(word: Any) -> Any:
    """That word by its beginning, or one that is spelt nearly so."""
    near = _given_rows("near", near_asked=sa.Text(), near_words=sa.Text())
    other = sa.literal_column("' | '").op("||")(_quoted(near.c.near_words))
    others = (
        sa.select(sa.func.string_agg(other, sa.literal_column("''")))
        .where(near.c.near_asked == word)
        .scalar_subquery()
    )
    return sa.func.concat(sa.literal_column("'('"), _beginning(word), others, sa.literal_column("')'"))


def _more_begin() -> Any:
    """Whether a word is known that begins with one of those that are asked for, and is another."""
    asked, word = each_word(words_of(TEXT), "begun"), SEARCH_WORDS.c.word
    other = (
        sa.select(word)
        .where(word > asked.c.word.collate("C"), word < _after(asked.c.word))
        .limit(sa.literal_column("1"))
    )
    return sa.select(asked.c.word).join_from(asked, other.lateral("other"), sa.true()).exists()


def _once(name: str, select: sa.Select[Any]) -> Any:
    """A query's text, made once and only where it is needed."""
    made = select.cte(name).prefix_with("MATERIALIZED")
    return sa.select(made.c.query).scalar_subquery()


_EXACTLY = _once("exactly", _all_of(_quoted))


def _marked(query: Any, mark: str) -> Any:
    """The query among those who have such a mark."""
    if mark != _MARK:
        query = sa.func.replace(query, sa.literal_column(f"'{_MARK}'"), sa.literal_column(f"'{mark}'"))
    return query.cast(TSQUERY)


def _by_words(rank: Any, query: Any, known: Any = None) -> list[Any]:
    """Who has the words, and not those that are `known`, who were found before.

    Among some of all customers, if there are enough of them; else among all.
    """
    parts = []
    for mark in _MARKS:
        new = _marked(query, mark)
        if known is not None:
            new = sa.func.tsquery_and(new, sa.func.tsquery_not(_marked(known, mark)))
        some = _customers(rank).where(_FOUND_BY.op("@@")(new)).limit(_MOST)
        parts.append(_if_enough(some) if mark else some)
    return parts


def _if_enough(some: sa.Select[Any]) -> sa.Select[Any]:
    found = some.subquery()
    counted = sa.select(*found.c, sa.func.count().over().label("count")).subquery()
    named = [counted.c[column.name] for column in found.c]
    return sa.select(*named).where(counted.c["count"] == _MOST)


def _by_one_beginning() -> Any:
    """Who has a word that begins with the only one of the text: word by word, until there are enough.

    What the index collects for one of them is less than for a beginning that many words have. Where there are
    not enough, there are not many: then it costs little that they are looked for again, with words that are
    not known yet.
    """
    asked = each_word(words_of(TEXT), "asked")
    only = sa.select(sa.func.min(asked.c.word).label("word")).having(sa.func.count() == 1).subquery("only")
    word, begin = SEARCH_WORDS.c.word, only.c.word.collate("C")
    known = (
        sa.select(word)
        .where(word > begin, word < _after(only.c.word))
        .order_by(word)
        .limit(_MOST)
        .lateral("known")
    )
    has_it = _by_words(_BY_BEGINNINGS, _quoted(sa.literal_column("known.word")), _EXACTLY)
    whose = sa.select(sa.union_all(*has_it).subquery()).limit(_MOST).lateral("whose")
    joined = only.join(known, sa.true()).join(whose, sa.true())
    return sa.select(whose).select_from(joined).limit(_MOST)


def _by_words_that_are_new() -> Any:
    """Who was made so lately that no word of theirs need be known: they are looked through by themselves."""
    latest = (
        sa.select(CUSTOMERS)
        .where(CUSTOMERS.c.id > _given("latest_id", sa.Uuid))
        .order_by(CUSTOMERS.c.id.desc())
        .limit(_MOST)
        .subquery("customers")
    )
    begins = _marked(
        _all_of(lambda word: _quoted(word).op("||")(sa.literal_column("':*'"))).scalar_subquery(), ""
    )
    none = sa.null().cast(sa.Uuid).label("identifier_id")
    select = sa.select(_BY_BEGINNINGS, latest.c.id.label("customer_id"), none)
    return select.where(WORDS.op("@@")(begins))


def _some_of(*parts: sa.Select[Any]) -> Statement[Found]:
    """Whoever is found by any of the parts, until there are enough; some more than once."""
    found = sa.union_all(*(sa.select(part.subquery()) for part in parts)).limit(_MOST).subquery()
    whose = survivor_of(found.c.customer_id).label("customer_id")
    named = found.c.customer_id.label("born_id")
    return Statement(sa.select(found.c.rank, whose, named, found.c.identifier_id), row=Found)


_BY_ID = _customers(_BY_NAME_OR_HANDLE).where(CUSTOMERS.c.id == _given("customer_id", sa.Uuid))
# By all that a text may mean; then by words that begin as its own, then by those that are spelt nearly so.
# Three statements, for of a name that many have nothing less is looked for, and to be ready for it costs.
FOUND = _some_of(
    _BY_ID,
    _by_key("normalized_value"),
    _by_key("shared_value"),
    _by_end(),
    *_by_words(_BY_WORDS, _EXACTLY),
)
FOUND_BY_BEGINNING = _some_of(
    _by_words_that_are_new(),
    _by_one_beginning(),
    *_by_words(_BY_BEGINNINGS, _once("by_beginning", _all_of(_beginning).where(_more_begin())), _EXACTLY),
)
FOUND_BY_SPELLING = _some_of(
    *_by_words(_BY_SPELLING, _once("nearly", _all_of(_or_near)), _once("by_beginning", _all_of(_beginning)))
)
