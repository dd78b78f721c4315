"""A department on busy days: what is late by the order in which work is given out. Pure, by its seed alone.

Work comes all day and most of it around noon, so that also a department with time to spare on the whole is
behind for hours; what nobody is ever late with would say nothing of who is late first.
"""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from statistics import mean
from typing import NamedTuple
from uuid import UUID

from cases.domain.deadline import deadline_of
from cases.domain.priority import Band
from cases.domain.queue import Candidate, in_order

LOADS = (0.8, 0.95, 1.1)  # work that comes, of what the agents can do
AGENTS, DAYS, MINUTES = 6, 7, 20.0  # minutes that a piece of work takes in the mean
PEAK = 0.9  # how much more than the mean comes at noon, and less at midnight
SHARES = {Band.STANDARD: 70, Band.SILVER: 15, Band.GOLD: 10, Band.PLATINUM: 5}
DUE_HOURS = (0.5, 8.0)  # from when it comes, any time alike
_START = datetime(2026, 3, 2, tzinfo=UTC)
_BANDS = list(Band)


class Work(NamedTuple):
    """A piece of work: when it comes, how long it takes, by when it was promised, of whom."""

    come: datetime
    takes: timedelta
    due: datetime
    band: Band


@dataclass
class Late:
    """How much of the work of a band was finished, and how much of that past its deadline; its mean wait."""

    work: int = 0
    late: int = 0
    waited: timedelta = timedelta()

    @property
    def share(self) -> float:
        """What part was late."""
        return self.late / self.work

    @property
    def wait_hours(self) -> float:
        """How long one waited to be begun, in the mean."""
        return self.waited / self.work / timedelta(hours=1)


def works(load: float, seed: int) -> list[Work]:
    """The work of all days, as it comes."""
    random = Random(f"{load}/{seed}")
    most = load * AGENTS / MINUTES * (1 + PEAK)  # a minute
    at, found = 0.0, []
    while (at := at + random.expovariate(most)) < DAYS * 1440:
        busy = 1 - PEAK * math.cos(2 * math.pi * at / 1440)
        takes, hours = random.expovariate(1 / MINUTES), random.uniform(*DUE_HOURS)
        (band,) = random.choices(list(SHARES), list(SHARES.values()))
        if random.random() * (1 + PEAK) < busy:
            come = _START + timedelta(minutes=at)
            found.append(Work(come, timedelta(minutes=takes), come + timedelta(hours=hours), band))
    return found


class Queue:
    """What the product does: of what is due first and what ranks first the one that comes first."""

    def __init__(self, *, valued: bool) -> None:
        self.valued = valued
        self.waiting: dict[UUID, Candidate] = {}
        self.by_deadline: list[tuple[datetime, UUID]] = []
        self.by_rank: list[tuple[datetime, UUID]] = []

    def put(self, key: UUID, work: Work) -> None:
        """It waits."""
        due = deadline_of(work.come, work.band if self.valued else Band.STANDARD, promised=work.due)
        waiting = Candidate(key, due.deadline_time, due.rank_time, known=False)
        self.waiting[key] = waiting
        heapq.heappush(self.by_deadline, (waiting.deadline_time, key))
        heapq.heappush(self.by_rank, (waiting.rank_time, key))

    def take(self, now: datetime) -> UUID:
        """The next."""
        for scan in (self.by_deadline, self.by_rank):
            while scan[0][1] not in self.waiting:
                heapq.heappop(scan)
        candidates = [self.waiting[scan[0][1]] for scan in (self.by_deadline, self.by_rank)]
        return self.waiting.pop(in_order(candidates, now)[0].id).id


class ValueFirst:
    """What the product does not do: who is worth more comes first, whatever is due."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, datetime, UUID]] = []

    def put(self, key: UUID, work: Work) -> None:
        """It waits."""
        heapq.heappush(self.waiting, (-_BANDS.index(work.band), work.due, key))

    def take(self, now: datetime) -> UUID:
        """The next."""
        return heapq.heappop(self.waiting)[-1]


def played(work: list[Work], queue: Queue | ValueFirst) -> dict[Band, Late]:
    """What became late. What is never begun counts, too: it waits until the end."""
    found = {band: Late() for band in Band}
    coming = iter(enumerate(work))
    ahead = next(coming, None)
    free = [_START] * AGENTS  # from when each agent is
    left = 0
    for begin in _beginnings(free):
        now = begin
        while ahead and (ahead[1].come <= now or not left):
            now = max(now, ahead[1].come)
            queue.put(UUID(int=ahead[0]), ahead[1])
            left += 1
            ahead = next(coming, None)
        if not left:
            return found
        done = work[queue.take(now).int]
        left -= 1
        heapq.heapreplace(free, now + done.takes)
        each = found[done.band]
        each.work += 1
        each.late += now + done.takes > done.due
        each.waited += now - done.come
    raise AssertionError("agents are never gone")


def _beginnings(free: list[datetime]) -> Iterator[datetime]:
    """When the next agent is free, for ever."""
    while True:
        yield free[0]


SEEDS = range(4)
ORDERS: dict[str, Callable[[], Queue | ValueFirst]] = {
    "by deadline alone": partial(Queue, valued=False),
    "the queue": partial(Queue, valued=True),
    "value first": ValueFirst,
}


@cache
def runs(load: float, order: str) -> list[dict[Band, Late]]:
    """The same days in an order of `ORDERS`, once for each seed."""
    return [played(works(load, seed), ORDERS[order]()) for seed in SEEDS]


def late(load: float, order: str) -> float:
    """What part of the work of customers who are worth least is late, in the mean."""
    return mean(run[Band.STANDARD].share for run in runs(load, order))
