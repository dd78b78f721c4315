"""What waits in the queues, read: counted, listed in its order, and watched."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cases.domain.deadline import VALUE_MAX
from cases.domain.lane import Lane
from cases.domain.queue import NEAR, Queue, QueuedWork, queued
from cases.store import presences
from cases.store import queue as store
from chassis.db.database import Database
from chassis.db.statement import Executor

FIRST = 5  # that are shown of a queue
KEPT_S = 1.0
_BEFORE_ALL = UUID(int=0)


class Place(NamedTuple):
    """A place in a queue: when it was first asked, whether near deadlines are over, and after what."""

    asked: datetime
    ranked: bool
    time: datetime
    id: UUID


def beginning(now: datetime) -> Place:
    """Before all that waits."""
    return Place(now, False, datetime.min.replace(tzinfo=now.tzinfo) + timedelta(days=1), _BEFORE_ALL)


async def lanes_of(on: Executor, department_id: str, team_id: str | None) -> list[str]:
    """The lanes in which something waits, of a department or for one of its teams."""
    if team_id is None:
        rows = await store.LANES.all(on, department_id=department_id)
    else:
        rows = await store.LANES_OF_TEAM.all(on, department_id=department_id, team=Lane.of_team(team_id))
    return [row["lane"] for row in rows]


def is_capped(lanes: Sequence[str]) -> bool:
    """Whether there may be more lanes, in which more waits than is looked at."""
    return len(lanes) >= store.LANES_MAX


async def listed(
    on: Executor, department_id: str, lanes: Sequence[str], after: Place, most: int
) -> list[tuple[QueuedWork, Place]]:
    """So many that wait after a place, in the order in which they are given out, each with its place."""
    near = after.asked + NEAR
    of = {"department_id": department_id, "lanes": lanes, "near": near, "but": []}
    found: list[tuple[QueuedWork, Place]] = []
    if not after.ranked:
        rows = await store.LIST_DUE.all(on, **of, after_time=after.time, after_id=after.id, most=most)
        for each in rows:
            work = queued(each, after.asked)
            found.append((work, Place(after.asked, False, work.deadline_time, each.id)))
        # What is not near has no earlier rank than this.
        after = Place(after.asked, True, near - VALUE_MAX, _BEFORE_ALL)
    if left := most - len(found):
        rows = await store.LIST_RANKED.all(on, **of, after_time=after.time, after_id=after.id, most=left)
        for each in rows:
            rank = each.rank_time or each.create_time
            found.append((queued(each, after.asked), Place(after.asked, True, rank, each.id)))
    return found


async def queue_of(on: Executor, department_id: str, team_id: str | None, now: datetime) -> Queue:
    """What waits, counted, and what comes first."""
    lanes = await lanes_of(on, department_id, team_id)
    of = {"department_id": department_id, "lanes": lanes, "but": []}
    counts = await store.COUNTS.one(on, **of, now=now)
    first = await listed(on, department_id, lanes, beginning(now), FIRST)
    there = await presences.ATTENDANCE.one(on, department_id=department_id, now=now, since=now)
    return Queue(
        department_id,
        counts["waiting_count"],
        counts["overdue_count"],
        counts["oldest_time"],
        [work for work, _ in first],
        there["available"],
        is_capped(lanes),
    )


class Queues:
    """The queues that are watched: however many watch one, it is read once a second."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._read: dict[tuple[str, str | None], tuple[float, asyncio.Task[Queue]]] = {}

    async def look(self, department_id: str, team_id: str | None) -> Queue:
        """A queue as it was a second ago at most."""
        key, now = (department_id, team_id), time.monotonic()
        self._read = {each: read for each, read in self._read.items() if read[0] + KEPT_S > now}
        if key not in self._read:
            reading = queue_of(self._db, department_id, team_id, self._db.clock.now())
            self._read[key] = now, asyncio.ensure_future(reading)
        return await asyncio.shield(self._read[key][1])  # who goes away takes it from nobody
