"""What is kept of webhooks, and for how long; how much waits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from chassis.context import service_itself
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.db.statement import Statement
from chassis.telemetry.families import Snapshot
from desk.edge.webhooks.receiving import RECEIVED
from desk.store import received as store

EVERY_S = 15.0
CHUNK = 1000  # at once: less than what the database's time for a statement is enough for
LIVE = Snapshot(
    "rapport_webhooks_live",
    "Webhooks that are not settled. The same in every replica.",
    ("source", "kind", "state"),
)
OLDEST = Snapshot(
    "rapport_webhooks_oldest_seconds",
    "The age of the oldest webhook that is not settled. The same in every replica.",
    ("source", "kind", "state"),
)

_log = structlog.get_logger()


class Keeping:
    """Counts what is not settled, and lets go of what has been for long enough.

    Args:
        db: the desk's database.
        keep_days: for how long payloads are kept of what was recorded or dropped.
        wait_days: for how long a person may decide.
    """

    def __init__(self, db: Database, keep_days: int, wait_days: int) -> None:
        self._db = db
        self._keep = timedelta(days=keep_days)
        self._wait = timedelta(days=wait_days)

    async def run(self) -> None:
        """Until cancelled."""
        kept = None
        while True:
            hour = self._db.clock.now().replace(minute=0, second=0, microsecond=0)
            hourly = (self.drop, self.forget, self.delete) if hour != kept else ()
            for work in (self.count, *hourly):  # one that fails costs the others nothing
                await self._try(work)
            kept = hour
            await asyncio.sleep(EVERY_S)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except DATABASE_ERRORS as error:
            _log.warning("webhooks could not be looked after", what=work.__name__, error=type(error).__name__)

    async def count(self) -> None:
        """Say how much there is."""
        rows, now = await store.COUNT.all(self._db), self._db.clock.now()
        by_labels = {(row["source"], row["kind"], row["state"]): row for row in rows}
        LIVE.replace({labels: row["count"] for labels, row in by_labels.items()})
        OLDEST.replace({labels: (now - row["oldest"]).total_seconds() for labels, row in by_labels.items()})

    async def drop(self) -> None:
        """Drop what nobody decided."""
        now = self._db.clock.now()
        by = str(service_itself(self._db.service).subject)
        for row in await self._all(store.DROP_UNDECIDED, self._wait, by=by, now=now):
            RECEIVED.labels(row["source"], row["kind"], "undecided").inc()

    async def forget(self) -> None:
        """Empty what was said."""
        await self._all(store.FORGET, self._keep)

    async def delete(self) -> None:
        """Delete what is left, by which a repeat is known to be one."""
        await self._all(store.DELETE, store.KNOWN)

    async def _all(self, statement: Statement[Any], age: timedelta, **given: Any) -> list[Any]:
        """What a statement does to all that is older."""
        before = self._db.clock.now() - age
        done: list[Any] = []
        while True:
            rows = await statement.all(self._db, before=before, most=CHUNK, **given)
            done += rows
            if len(rows) < CHUNK:
                return done
