"""What became of a transaction whose commit got no answer.

The transaction's id is the key of an audit row that it inserts last. Its server process is ended first, so
that nothing runs on; then the same id is inserted again, marked void. The key makes that wait for a twin that
still runs: inserted means that the twin can never commit, a conflict means that it did, or that an
earlier attempt of ours to find out has made it void.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chassis.db.failures import DRIVER_ERRORS, outcome_unknown
from chassis.db.records import VOID_AUDIT, Act, audit_rows
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement

if TYPE_CHECKING:
    from chassis.db.database import Database
    from chassis.db.session import Backend, Session

DECIDE_S = 5.0  # how long the database is asked; a failover may take longer, a caller does not wait longer
PAUSE_S = 0.1

_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2
"""
# The message makes this a write, which is answered when a synchronous standby has it, and with it everything
# before: nobody is told of a commit that a failover could still take back.
_FOUND = Statement[Any](
    sa.select(AUDIT.c.void, sa.func.pg_logical_emit_message(True, "commit", "found")).where(
        AUDIT.c.id == sa.bindparam("id")
    )
)


async def committed(db: Database, backend: Backend, act: Act, now: datetime) -> bool:
    """Whether a transaction took effect, known by the id of its first act; if it did not, it never will.

    OutcomeUnknown (`COMMIT_UNKNOWN`) when the database could not be asked within 5 seconds.
    """
    until = asyncio.get_running_loop().time() + DECIDE_S
    while True:
        try:
            async with asyncio.timeout_at(until):
                session = await db.dedicated()
                try:
                    return await _decided(session, backend, act, now)
                finally:
                    session.terminate()
        except DRIVER_ERRORS as error:
            if asyncio.get_running_loop().time() + PAUSE_S > until:
                raise outcome_unknown() from error
        await asyncio.sleep(PAUSE_S)


async def _decided(session: Session, backend: Backend, act: Act, now: datetime) -> bool:
    await session.execute(_END, *backend)
    statement, args = VOID_AUDIT.call([row | {"void": True} for row in audit_rows([act], now)])
    if await session.fetch(statement.sql, *args):
        return False
    (found,) = await session.fetch(_FOUND.sql, *_FOUND.arguments({"id": act.id}))
    return not found["void"]
