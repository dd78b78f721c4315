"""Clocks that run and will never be up, measured for who operates them."""

from cases.store.clocks import COUNT_ENDLESS
from chassis.db.database import Database
from chassis.telemetry.metrics import Snapshot

ENDLESS = Snapshot(
    "rapport_clocks_endless",
    "Clocks that run and will never be up, at most 1,000: their calendar does not open for so long any more. "
    "The same in every replica.",
    (),
)


async def count_endless(db: Database) -> None:
    """Tell how many clocks run for ever."""
    row = await COUNT_ENDLESS.one(db)
    ENDLESS.replace({(): row["endless"]})
