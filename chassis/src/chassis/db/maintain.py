"""Keeping outbox and inbox in daily partitions, and deleting what else is kept for some days only."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from chassis import ids
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS

CHECK_EVERY_S = 60.0
OUTBOX_DAYS = 14
INBOX_DAYS = 30
IDEMPOTENCY_DAYS = 7
WORK_DAYS = 14
CHUNK = 5000

_LOCK = 0x6B656570  # "keep"
_log = structlog.get_logger()


async def keep_partitions(db: Database) -> None:
    """Look after the partitions until cancelled: at start, and whenever the hour has changed."""
    kept = None
    while True:
        hour = db.clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != kept:
            try:
                await keep(db)
                kept = hour
            except DATABASE_ERRORS as error:
                _log.warning("partitions could not be looked after; trying again", error=type(error).__name__)
        await asyncio.sleep(CHECK_EVERY_S)


async def keep(db: Database) -> None:
    """Make the partitions of the next days, drop those past keeping, delete old answers and ended work.

    Which days are the next is told by the database's clock. Does nothing while another replica is at it.
    """
    now = db.clock.now()
    connection = await db.dedicated()  # the lock ends with it, whatever happens
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return
        for table in ("outbox", "inbox"):
            await connection.execute("SELECT make_partitions($1)", table)
        today = min(now, await connection.fetchval("SELECT now()"))
        today = today.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        await _drop(connection, "outbox", today - timedelta(days=OUTBOX_DAYS))
        await _drop(connection, "inbox", today - timedelta(days=INBOX_DAYS))
        # What no release came to know. What is missing stays, until it is applied or dropped.
        gone = "state = 'PARKED' AND error = '' AND parked_at < $1"
        await _delete(connection, "parked", gone, now - timedelta(days=INBOX_DAYS))
        await _delete(connection, "idempotency", "at < $1", now - timedelta(days=IDEMPOTENCY_DAYS))
        await _delete(connection, "work", "ended_at < $1", now - timedelta(days=WORK_DAYS))
    finally:
        await connection.close(timeout=2)


async def _drop(connection: asyncpg.Connection, table: str, before: datetime) -> None:
    """Drop the partitions of days before `before`, except where something is still to be published."""
    names = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1",
        table,
    )
    for name in (row["name"].removeprefix(f"{table}_") for row in names):
        if name < f"{before:%Y%m%d}":
            day = datetime.strptime(name, "%Y%m%d").date()  # noqa: DTZ007 - a day of UTC
            if not await connection.fetchval("SELECT drop_partition($1, $2)", table, day):
                _log.error(
                    "a day's partition cannot be dropped: it holds facts that were never published",
                    partition=f"{table}_{name}",
                )
    while await connection.fetchval("SELECT forget($1, $2, $3)", table, ids.floor(before), CHUNK) == CHUNK:
        pass


async def _delete(connection: asyncpg.Connection, table: str, condition: str, bound: object) -> None:
    """Delete in chunks, so that no statement holds locks or runs for long."""
    chunk = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {CHUNK}"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({chunk}))"  # noqa: S608
    while await connection.execute(delete, bound) == f"DELETE {CHUNK}":
        pass
