"""What is kept of webhooks, and for how long; how much waits."""

import asyncio
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.errors import Refusal
from desk.store import webhooks as store

EVERY_S = 15.0
CHUNK = 1000
LIVE = Gauge("webhooks_live", "Webhooks that are not settled.", ["source", "kind", "state"])
OLDEST = Gauge("webhooks_oldest_s", "The age of the oldest that is not settled.", ["source", "kind", "state"])

_log = structlog.get_logger()


class Keeping:
    """Counts what is not settled, and lets go of what has been for long enough.

    Args:
        db: the desk's database.
        days: for how long payloads are kept of what was recorded or dropped.

    """

    def __init__(self, db: Database, days: int) -> None:
        self._db = db
        self._days = days

    async def run(self) -> None:
        """Until cancelled."""
        kept = None
        while True:
            hour = self._db.clock.now().replace(minute=0, second=0, microsecond=0)
            try:
                await self.count()
                if hour != kept:
                    await self.forget()
                    kept = hour
            except (Refusal, *DATABASE_ERRORS) as error:
                _log.warning("webhooks could not be looked after", error=type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def count(self) -> None:
        """Say how much there is."""
        rows, now = await store.COUNT.all(self._db), self._db.clock.now()
        LIVE.clear()
        OLDEST.clear()
        for row in rows:
            labels = row["source"], row["kind"], row["state"]
            LIVE.labels(*labels).set(row["count"])
            OLDEST.labels(*labels).set((now - row["oldest"]).total_seconds())

    async def forget(self) -> None:
        """Empty what was said; later delete what is left, by which a repeat is known to be one."""
        now = self._db.clock.now()
        before = now - timedelta(days=self._days)
        for statement in (store.EMPTY_PAYLOADS, store.EMPTY_WORDS):
            while len(await statement.all(self._db, before=before, most=CHUNK)) == CHUNK:
                pass
        while len(await store.DELETE.all(self._db, before=now - store.FORGET, most=CHUNK)) == CHUNK:
            pass
