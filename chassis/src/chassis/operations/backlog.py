"""Measures what waits in the database: now and then, and not whenever somebody scrapes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.operations import store
from chassis.telemetry import metrics

EVERY_S = 15.0

_log = structlog.get_logger()

Measurement = Callable[[], Awaitable[None]]


async def measure(measurements: Sequence[Measurement]) -> None:
    """Measure for ever, one after the other; one that fails costs the others nothing."""
    while True:
        for each in measurements:
            try:
                await each()
            except DATABASE_ERRORS as error:
                _log.warning("a measurement failed", what=repr(each), error=type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def count_backlog(db: Database) -> None:
    """Tell what is set aside and what is overdue: three statements, on indexes or few rows."""
    rows = await store.SET_ASIDE_IN_ALL.all(db)
    metrics.SET_ASIDE.replace({(row["consumer"], row["state"]): row["events"] for row in rows})
    metrics.SET_ASIDE_OLDEST.replace({(row["consumer"], row["state"]): row["oldest_s"] for row in rows})
    timers = await store.OVERDUE_TIMERS.one(db)
    metrics.TIMERS_OVERDUE.set(timers["overdue"])
    metrics.TIMERS_LATE.set(timers["late_s"])
    work = await store.WORK_BY_KIND.all(db)
    metrics.WORK_OVERDUE.replace({(row.kind,): row.overdue_count for row in work})
