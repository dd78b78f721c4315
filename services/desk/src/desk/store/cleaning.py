"""Looking after tables for as long as the desk runs: what is over goes, a bounded number at a time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.statement import Statement

CHUNK = 1000  # at once: less than what the database's time for a statement is enough for

_log = structlog.get_logger()


async def every(seconds: float, *works: Callable[[], Awaitable[object]]) -> None:
    """Do all of it now, and again about so often; one that fails costs the others nothing."""
    while True:
        for work in works:
            try:
                await work()
            except DATABASE_ERRORS as error:
                _log.warning(
                    "a table could not be looked after", what=work.__qualname__, error=type(error).__name__
                )
        await asyncio.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - replicas take turns


async def all_of(db: Database, statement: Statement[Any], **given: Any) -> list[Any]:
    """Everything that a statement finds which takes `most` of it at once."""
    done: list[Any] = []
    while True:
        rows = await statement.all(db, most=CHUNK, **given)
        done += rows
        if len(rows) < CHUNK:
            return done
