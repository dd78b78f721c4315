"""How far matching is, and what waits for people: for metrics."""

from prometheus_client import Gauge

from chassis.db.database import Database
from customer.store import matches as store

QUEUE_OLDEST = Gauge(
    "rapport_match_queue_oldest_seconds",
    "The age of the oldest change of a customer who is not compared since. The same in every replica.",
)
QUEUED = Gauge(
    "rapport_match_queue_changes",
    "Changes of customers who are not compared since, 10,000 at most. The same in every replica.",
)
WAITING = Gauge(
    "rapport_match_candidates_waiting",
    "Pairs of customers of whom a person is asked whether they are one. The same in every replica.",
)
OLDEST = Gauge(
    "rapport_match_candidates_oldest_seconds",
    "How long the oldest question waits for a person. The same in every replica.",
)
CONSOLIDATION = Gauge(
    "rapport_match_consolidation_ratio",
    "The share of customers who are one with an earlier one. The same in every replica.",
)


async def measure(db: Database) -> None:
    """Tell what waits, and how many customers are one with another."""
    queue = await store.QUEUE_AGE.one(db)
    QUEUED.set(queue["changes"])
    QUEUE_OLDEST.set(float(queue["oldest_s"]))
    waiting = await store.COUNT_CANDIDATES.one(db)
    WAITING.set(waiting["pending"])
    OLDEST.set(float(waiting["oldest_s"]))
    counted = await store.CONSOLIDATION.one(db)
    CONSOLIDATION.set(counted["merged"] / max(counted["customers"], counted["merged"], 1))
