"""Keeping by partition what is kept by partition, and deleting what else is kept for some days only."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from chassis import ids
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.schema import INBOX_DAYS
from chassis.db.session import guard

CHECK_EVERY_S = 60.0
IDEMPOTENCY_DAYS = 7
WORK_DAYS = 14
DAY, MONTH = timedelta(days=1), timedelta(days=31)
CHUNK = 5000
# The causes of a day are copied in one statement before it is dropped.
COPY_TIMEOUT_S = 600
PATIENCE = {"statement_timeout": (f"{COPY_TIMEOUT_S}s", 0), "transaction_timeout": (f"{COPY_TIMEOUT_S}s", 17)}

MAKING, _KEEPING = 0x6D616B65, 0x6B656570  # "make", "keep"
_log = structlog.get_logger()


async def keep_partitions(db: Database) -> None:
    """Look after the partitions until cancelled: at start, when those of now are there, and each hour."""
    kept = None
    while True:
        hour = db.clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != kept:
            try:
                await (keep(db) if kept else tidy(db))
                kept = hour
            except DATABASE_ERRORS as error:
                _log.warning("partitions could not be looked after; trying again", error=type(error).__name__)
        await asyncio.sleep(CHECK_EVERY_S)


async def make_partitions(db: Database) -> None:
    """Make the partitions of now and of the next two days or months, by the database's clock.

    Waits for another replica that is at it, a second at a time: lock_not_available ends the wait.
    """
    connection = await db.dedicated()  # the lock ends with it, whatever happens
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MAKING)
        await guard(connection, PATIENCE)
        for kept in await connection.fetch("SELECT parent FROM keeping ORDER BY parent"):
            await connection.execute("SELECT make_partitions($1)", kept["parent"])
    finally:
        await connection.close(timeout=2)


async def keep(db: Database) -> None:
    """Make the next partitions, and do away with what is past keeping."""
    await make_partitions(db)
    await tidy(db)


async def tidy(db: Database) -> None:
    """Drop partitions past keeping, delete old answers and ended work, unless another replica is at it."""
    now = db.clock.now()
    connection = await db.dedicated()
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _KEEPING):
            return
        await guard(connection, PATIENCE)
        today = min(now, await connection.fetchval("SELECT now()"))
        today = today.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for kept in await connection.fetch("SELECT parent, period, days FROM keeping ORDER BY parent"):
            before = today - timedelta(days=kept["days"])
            await _drop(connection, kept["parent"], MONTH if kept["period"] == "month" else DAY, before)
        # What no release came to know. What is missing stays, until it is applied or dropped.
        gone = "state = 'PARKED' AND error = '' AND parked_at < $1"
        await _delete(connection, "parked", gone, now - timedelta(days=INBOX_DAYS))
        await _delete(connection, "idempotency", "at < $1", now - timedelta(days=IDEMPOTENCY_DAYS))
        await _delete(connection, "work", "ended_at < $1", now - timedelta(days=WORK_DAYS))
    finally:
        await connection.close(timeout=2)


async def _drop(connection: asyncpg.Connection, parent: str, span: timedelta, before: datetime) -> None:
    """Drop the partitions of what was before `before`, except where something is still to be published."""
    names = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1",
        parent,
    )
    for name in (row["name"].removeprefix(f"{parent}_") for row in names):
        if name == "default" or _day(name) + span > before:
            continue
        dropped = await connection.fetchval(
            "SELECT drop_partition($1, $2)", parent, _day(name).date(), timeout=COPY_TIMEOUT_S
        )
        if not dropped:
            _log.error(
                "a day's partition cannot be dropped: it holds facts that were never published",
                partition=f"{parent}_{name}",
            )
    while await connection.fetchval("SELECT forget($1, $2, $3)", parent, ids.floor(before), CHUNK) == CHUNK:
        pass


def _day(name: str) -> datetime:
    return datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC)


async def _delete(connection: asyncpg.Connection, table: str, condition: str, bound: object) -> None:
    """Delete in chunks, so that no statement holds locks or runs for long."""
    chunk = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {CHUNK}"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({chunk}))"  # noqa: S608
    while await connection.execute(delete, bound) == f"DELETE {CHUNK}":
        pass
