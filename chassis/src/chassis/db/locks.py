"""One after another: whoever locks a name waits until nobody else has it, until the transaction ends."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Statement

LOCK_NAME = Statement[None](
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)))
)

_NAME = sa.func.unnest(sa.bindparam("names", type_=sa.ARRAY(sa.Text))).column_valued("name")
_LOCKS = sa.select(sa.func.hashtextextended(_NAME, 0).label("lock")).distinct().order_by("lock").subquery()
# Several at once, in one order: two who do so cannot wait for each other.
LOCK_NAMES = Statement[Any](sa.select(sa.func.pg_advisory_xact_lock(_LOCKS.c.lock)))
