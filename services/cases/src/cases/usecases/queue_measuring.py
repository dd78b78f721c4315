"""How much waits in the queues, measured for who operates them."""

from datetime import datetime, timedelta

from cases.store import presences
from cases.store import queue as store
from cases.usecases.calendar import working_hours
from cases.usecases.queue_reading import lanes_of
from chassis.db.database import Database
from chassis.telemetry.metrics import Snapshot

WORK = Snapshot(
    "rapport_queue_work",
    "Work in the queues of all departments, of each at most 1,000: waiting, overdue, and unattended, which "
    "is overdue in the working hours of a department whose people use the desk, and none is available. "
    "The same in every replica.",
    ("state",),
)
OLDEST = Snapshot(
    "rapport_queue_oldest_seconds",
    "How long the work has waited that waits longest in the queues. The same in every replica.",
    (),
)
MOMENT = timedelta(minutes=1)  # in which some business time passes while it is open
USED = timedelta(days=7)  # the desk, by a department whose people were there since


async def measure_queues(db: Database) -> None:
    """Tell how much waits, and since when."""
    now, oldest = db.clock.now(), timedelta()
    work = dict.fromkeys(("waiting", "overdue", "unattended"), 0)
    for row in await store.DEPARTMENTS_WAITING.all(db):
        department_id = row["department_id"]
        of = {"department_id": department_id, "lanes": await lanes_of(db, department_id, None), "but": []}
        counts = await store.COUNTS.one(db, **of, now=now)
        work["waiting"] += counts["waiting_count"]
        work["overdue"] += counts["overdue_count"]
        if counts["overdue_count"] and await _unattended(db, department_id, now):
            work["unattended"] += counts["overdue_count"]
        if counts["oldest_time"]:
            oldest = max(oldest, now - counts["oldest_time"])
    WORK.replace({(state,): count for state, count in work.items()})
    OLDEST.replace({(): oldest.total_seconds()})


async def _unattended(db: Database, department_id: str, now: datetime) -> bool:
    """Whether nobody is available of those who use the desk, when they work."""
    there = await presences.ATTENDANCE.one(db, department_id=department_id, now=now, since=now - USED)
    if there["available"] or not there["known"]:
        return False
    hours = await working_hours(db, department_id)
    return hours.elapsed(now, now + MOMENT) > timedelta()
