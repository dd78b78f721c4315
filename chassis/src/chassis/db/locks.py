"""One after another: whoever locks a name waits until nobody else has it, until the transaction ends."""

import sqlalchemy as sa

from chassis.db.statement import Statement

LOCK_NAME = Statement[None](
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)))
)
