"""How promises end, counted as it happens, and how many are under way.

What an import tells of the past is not counted: it would look as if it all happened today.
"""

from prometheus_client import Counter

from cases.domain.promise import LIVE, Promise, PromiseState
from cases.store.tables import COUNT_LIVE
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.telemetry.metrics import Snapshot

OUTCOMES = Counter(
    "rapport_promise_outcomes",
    "What became of promises: kept, kept_late, told_in_time (of a new date), told_late, broken, withdrawn. "
    "What is broken may be told_late or kept_late after that.",
    ["outcome"],
)
for _each in ("kept", "kept_late", "told_in_time", "told_late", "broken", "withdrawn"):
    OUTCOMES.labels(_each)  # told from the start, so that a first one is seen
UNDER_WAY = Snapshot(
    "rapport_promises_live", "Promises that have not ended, by state. The same in every replica.", ("state",)
)


def count(tx: Transaction, outcome: str) -> None:
    """Count one, if the transaction commits."""
    tx.after_commit(OUTCOMES.labels(outcome).inc)


def of_kept(promise: Promise) -> str:
    """How a promise was kept."""
    return "kept_late" if promise.state is PromiseState.KEPT_LATE else "kept"


async def count_live(db: Database) -> None:
    """Tell how many promises are under way."""
    found = {row["state"]: row["promises"] for row in await COUNT_LIVE.all(db)}
    UNDER_WAY.replace({(state,): found.get(state, 0) for state in sorted(LIVE)})
