"""The statement that finds cases by whatever a text may mean, each of it by an index.

Each part is found by itself and sorted then: asked for the newest, the planner would rather walk through all
cases from the newest on, for it takes every word for one that many have. So a part has a size.
"""

from typing import Any

import sqlalchemy as sa

from cases.store.selection import Selection
from cases.store.tables import CASES, PROMISES, WORK_ITEMS
from chassis.db.statement import Statement
from chassis.db.words import all_words, beginning, words_of

FOUND_MAX = 1000
SHAPES_MAX = 256
_TEXT = sa.bindparam("text", type_=sa.Text)
_REFERENCE = sa.bindparam("reference", type_=sa.Text)
# As the index has it.
_WORDS = words_of(CASES.c.display_name.op("||")(sa.literal_column("' '")).op("||")(CASES.c.topic))
_WHOLE, _BEGINNING = all_words(_TEXT), all_words(_TEXT, beginning)
_BY_NUMBER, _BY_WORDS, _BY_BEGINNINGS = (sa.literal_column(str(n), sa.Integer) for n in (3, 2, 1))


_STATEMENTS: dict[str, Statement[Any]] = {}


def search(chosen: Selection) -> Statement[Any]:
    """Cases by what was found, best first and newest of these first: `id`, `rank` and how many were found.

    Compiled once for each shape of filter.
    """
    if chosen.shape not in _STATEMENTS:
        if len(_STATEMENTS) == SHAPES_MAX:
            del _STATEMENTS[next(iter(_STATEMENTS))]
        _STATEMENTS[chosen.shape] = _built(chosen.clause)
    return _STATEMENTS[chosen.shape]


def _said(table: sa.Table) -> Any:
    """That there is a reference, written as the index has it, by which the planner recognises that."""
    return sa.literal_column(f"({table.name}.reference <> '')")


def _built(clause: Any) -> Statement[Any]:
    def part(rank: Any, matches: Any, *of: Any) -> Any:
        select = sa.select(rank.label("rank"), CASES.c.id).where(matches, clause)
        for table in of:
            select = select.join_from(CASES, table, table.c.case_id == CASES.c.id)
        return sa.select(select.limit(FOUND_MAX + 1).subquery())

    parts = [
        part(_BY_NUMBER, CASES.c.id == sa.bindparam("case_id", type_=sa.Uuid)),
        *(
            part(_BY_NUMBER, sa.and_(table.c.reference == _REFERENCE, _said(table)), table)
            for table in (WORK_ITEMS, PROMISES)
        ),
        part(_BY_WORDS, _WORDS.op("@@")(_WHOLE)),
        part(
            _BY_BEGINNINGS,
            _WORDS.op("@@")(sa.func.tsquery_and(_BEGINNING, sa.func.tsquery_not(_WHOLE))),
        ),
    ]
    # One after the other, until there are enough.
    found = sa.union_all(*parts).limit(FOUND_MAX + 1).cte("found")
    each = (
        sa.select(sa.func.max(found.c.rank).label("rank"), found.c.id).group_by(found.c.id).subquery("each")
    )
    key = sa.tuple_(each.c.rank, each.c.id)
    after = sa.tuple_(sa.bindparam("after_rank", type_=sa.Integer), sa.bindparam("after_id", type_=sa.Uuid))
    return Statement[Any](
        sa.select(each, sa.select(sa.func.count()).select_from(found).scalar_subquery().label("found"))
        .where(key < after)
        .order_by(each.c.rank.desc(), each.c.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )
