"""The cases that a filter is about, for statements beside `LIST_CASES` with its fields."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from cases.store.tables import LIST_CASES
from chassis.api import filters


class Selection(NamedTuple):
    """A condition on cases, its parameters, and a shape that equal conditions share."""

    clause: Any
    params: dict[str, Any]
    shape: str


def selection(filter: str, argument: str = "filter") -> Selection:
    """What a filter selects. InvalidArgument INVALID_FILTER, which names `argument`."""
    chosen = filters.parse(filter, LIST_CASES.filters, argument)
    clause = chosen.clause
    if chosen.of_one is not None:
        column, rows = chosen.of_one
        clause = sa.and_(clause, column == sa.any_(sa.func.array(sa.select(*rows.c).scalar_subquery())))
    return Selection(clause, chosen.params, chosen.shape)
