"""Tables of versions: a change is a new row, the highest version holds, and all of them stay."""

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.db.statement import Statement

E = TypeVar("E")


def versioned(
    table: sa.Table, entity: type[E]
) -> tuple[sa.Subquery, Statement[E], Statement[E], Statement[Any]]:
    """What is asked of a table whose key is `id` and `version`.

    The latest version of each, to select from; the latest of one, by `id`; a version of one, by `id` and
    `version`; and keeping a version.
    """
    of_one = sa.select(table).where(table.c.id == sa.bindparam("id"))
    newest_first = table.c.version.desc()
    latest = (
        sa.select(table).ext(distinct_on(table.c.id)).order_by(table.c.id, newest_first).subquery("latest")
    )
    return (
        latest,
        Statement(of_one.order_by(newest_first).limit(1), row=entity),
        Statement(of_one.where(table.c.version == sa.bindparam("version")), row=entity),
        Statement[Any](sa.insert(table)),
    )
