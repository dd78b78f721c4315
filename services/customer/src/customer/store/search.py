"""The statement that finds customers by whatever a text may mean, each of it by an index.

Each part is found by itself and sorted then: asked for the first of an order, the planner would rather walk
through all customers in that order, for it takes every word for one that many have. So a part has a size.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, distinct_on

from chassis.api.listing import Listing
from chassis.db.aliases import survivor_of
from chassis.db.tables import rows_of
from customer.names import IDENTIFIER
from customer.store.tables import CUSTOMERS, IDENTIFIERS

FOUND_MAX = 1000
_BY_NAME_OR_HANDLE, _BY_END, _BY_WORDS = (
    sa.literal_column(str(n), sa.Integer).label("rank") for n in range(3)
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


def _by_key() -> Any:
    asked = rows_of("asked", types=sa.Text(), systems=sa.Text(), values=sa.Text())
    matches = sa.and_(
        _I.normalized_value == asked.c["values"],
        _I.type == asked.c.types,
        sa.or_(asked.c.systems.is_(None), _I.system == asked.c.systems),
    )
    return _holders(_BY_NAME_OR_HANDLE, asked, matches, "identifiers.normalized_value <> ''")


def _by_end() -> Any:
    asked = rows_of("asked", ends=sa.Text())
    end: Any = sa.literal_column('end_of(identifiers.normalized_value) COLLATE "C"')
    matches = sa.and_(end >= asked.c.ends, end < asked.c.ends.op("||")(sa.literal_column("':'")))  # after 9
    only = "identifiers.normalized_value <> '' AND identifiers.type IN ('PHONE', 'FAX')"
    return _holders(_BY_END, asked, matches, only)


def _by_words() -> Any:
    """All words, each as a prefix; none, and so nobody, of a text without any. No word holds a quote."""
    words = sa.func.unnest(sa.func.tsvector_to_array(sa.func.words_of(sa.bindparam("text", type_=sa.Text))))
    word: Any = words.column_valued("word")
    prefixes = sa.select(
        sa.func.string_agg(
            sa.func.quote_literal(word).op("||")(sa.literal_column("':*'")), sa.literal_column("' & '")
        ).cast(TSQUERY)
    )
    names = " || ' ' || ".join(
        f"customers.{name}"
        for name in ("display_name", "given_name", "additional_name", "family_name", "organization_name")
    )
    index: Any = sa.literal_column(f"words_of({names})")
    return _customers(_BY_WORDS).where(index.op("@@")(prefixes.scalar_subquery())).limit(FOUND_MAX)


def _search() -> Listing[Found]:
    named = _customers(_BY_NAME_OR_HANDLE).where(CUSTOMERS.c.id == sa.bindparam("customer_id", type_=sa.Uuid))
    parts = [part.subquery() for part in (named, _by_key(), _by_end(), _by_words())]
    every = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    whose = survivor_of(every.c.customer_id)
    each = (  # once, for the best and then the oldest reason
        sa.select(
            every.c.rank,
            whose.label("customer_id"),
            every.c.customer_id.label("born_id"),
            every.c.identifier_id,
        )
        .ext(distinct_on(whose))
        .order_by(whose, every.c.rank, every.c.identifier_id)
        .subquery("found")
    )
    return Listing(sa.select(each), each.c.rank, each.c.customer_id, row=Found, default_size=20, size_max=100)


SEARCH = _search()
