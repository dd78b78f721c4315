"""Several statements sent to the server as one: a transaction's writes in a single round trip."""

import functools
import re
from typing import Any, NamedTuple

from chassis.db.statement import Statement


class Combined(NamedTuple):
    """The SQL that does it all, named after the first statement."""

    name: str
    summary: str
    sql: str


@functools.cache
def combined(statements: tuple[Statement[Any], ...]) -> Combined:
    """One statement that does what `statements` do, their parameters one after another.

    All but the last become common table expressions. None may read what another writes.
    """
    parts, offset = [], 0
    for statement in statements:
        parts.append(_renumbered(statement.sql, offset))
        offset += len(statement.binds)
    expressions = ", ".join(f"part{i} AS ({part})" for i, part in enumerate(parts[:-1]))
    first = statements[0]
    return Combined(
        first.name, first.summary, f"WITH {expressions} {parts[-1]}" if expressions else parts[-1]
    )


def _renumbered(sql: str, offset: int) -> str:
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + offset}", sql)
