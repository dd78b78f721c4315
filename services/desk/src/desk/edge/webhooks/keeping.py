"""What is kept of webhooks, and for how long; how much waits."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis.context import service_itself
from chassis.db.database import Database
from chassis.db.statement import Statement
from chassis.telemetry.metrics import Snapshot
from desk.edge.webhooks.receiving import RECEIVED
from desk.store import received as store
from desk.store.cleaning import all_of, every

HOUR_S = 3600.0
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


@dataclass(eq=False)
class Keeping:
    """Counts what is not settled, and lets go of what has been for long enough.

    Attributes:
        keep_days: for how long payloads are kept of what was recorded or dropped.
        wait_days: for how long a person may decide.
    """

    db: Database
    keep_days: int
    wait_days: int

    async def run(self) -> None:
        """Until cancelled."""
        await every(HOUR_S, self.drop, self.forget, self.delete)

    async def count(self) -> None:
        """Say how much there is."""
        rows, now = await store.COUNT.all(self.db), self.db.clock.now()
        by_labels = {(row["source"], row["kind"], row["state"]): row for row in rows}
        LIVE.replace({labels: row["count"] for labels, row in by_labels.items()})
        OLDEST.replace({labels: (now - row["oldest"]).total_seconds() for labels, row in by_labels.items()})

    async def drop(self) -> None:
        """Drop what nobody decided."""
        now, by = self.db.clock.now(), str(service_itself(self.db.service).subject)
        for row in await self._older(store.DROP_UNDECIDED, self.wait_days, by=by, now=now):
            RECEIVED.labels(row["source"], row["kind"], "undecided").inc()

    async def forget(self) -> None:
        """Empty what was said."""
        await self._older(store.FORGET, self.keep_days)

    async def delete(self) -> None:
        """Delete what is left, by which a repeat is known to be one."""
        await self._older(store.DELETE, store.KNOWN_DAYS)

    async def _older(self, statement: Statement[Any], days: int, **given: Any) -> list[Any]:
        """What a statement does to all that is older."""
        return await all_of(self.db, statement, before=self.db.clock.now() - timedelta(days=days), **given)
