"""Numbering versions: of two that are made at the same time, the second waits for the first."""

import sqlalchemy as sa

from chassis.db.statement import Statement

LOCK_VERSIONS = Statement[None](
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)))
)
