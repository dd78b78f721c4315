"""A department on busy days: what is late by the order in which work is given out. Pure, by its seed alone.

Work comes all day and most of it around noon, so that also a department with time to spare on the whole is
behind for hours; what nobody is ever late with would say nothing of who is late first.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from statistics import mean
from typing import NamedTuple
from uuid import UUID

from cases.domain.deadline import deadline_of
from cases.domain.lane import Abilities, Lane
from cases.domain.priority import Band
from cases.domain.queue import Candidate, in_order

LOADS = (0.8, 0.95, 1.1)  # work that comes, of what the agents can do
DAYS, MINUTES = 7, 20.0  # minutes that a piece of work takes in the mean
# Each can do what needs nothing; some of them refunds, some of them repairs, some both.
AGENTS = [
    Abilities(frozenset(), frozenset(skills.split()), frozenset())
    for skills in ("refunds repairs", "refunds repairs", "refunds", "refunds", "repairs", "repairs")
]
ASKED = {Lane(): 50, Lane(skills=frozenset({"refunds"})): 25, Lane(skills=frozenset({"repairs"})): 25}
PEAK = 0.9  # how much more than the mean comes at noon, and less at midnight
SHARES = {Band.STANDARD: 70, Band.SILVER: 15, Band.GOLD: 10, Band.PLATINUM: 5}
DUE_HOURS = (0.5, 8.0)  # from when it comes, any time alike
_START = datetime(2026, 3, 2, tzinfo=UTC)
_BANDS = list(Band)


class Work(NamedTuple):
    """A piece of work: when it comes, how long it takes, by when it was promised, of whom, for whom."""

    come: datetime
    takes: timedelta
    due: datetime
    band: Band
    lane: Lane


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
    most = load * len(AGENTS) / MINUTES * (1 + PEAK)  # a minute
    at, found = 0.0, []
    while (at := at + random.expovariate(most)) < DAYS * 1440:
        busy = 1 - PEAK * math.cos(2 * math.pi * at / 1440)
        takes, hours = random.expovariate(1 / MINUTES), random.uniform(*DUE_HOURS)
        (band,) = random.choices(list(SHARES), list(SHARES.values()))
        (lane,) = random.choices(list(ASKED), list(ASKED.values()))
        if random.random() * (1 + PEAK) < busy:
            come = _START + timedelta(minutes=at)
            due = come + timedelta(hours=hours)
            found.append(Work(come, timedelta(minutes=takes), due, band, lane))
    return found


def able(agent: Abilities) -> list[Lane]:
    """What an agent can do."""
    return [lane for lane in ASKED if agent.missing(lane) == Lane()]


class Queue:
    """What the product does: of what is due first, and of what ranks first, in the lanes that one can do."""

    def __init__(self, *, valued: bool) -> None:
        self.valued = valued
        self.waiting: dict[UUID, Candidate] = {}
        self.by_deadline: dict[Lane, list[tuple[datetime, UUID]]] = {lane: [] for lane in ASKED}
        self.by_rank: dict[Lane, list[tuple[datetime, UUID]]] = {lane: [] for lane in ASKED}

    def put(self, key: UUID, work: Work) -> None:
        """It waits."""
        due = deadline_of(work.come, work.band if self.valued else Band.STANDARD, promised=work.due)
        waiting = Candidate(key, due.deadline_time, due.rank_time, known=False)
        self.waiting[key] = waiting
        heapq.heappush(self.by_deadline[work.lane], (waiting.deadline_time, key))
        heapq.heappush(self.by_rank[work.lane], (waiting.rank_time, key))

    def take(self, now: datetime, agent: Abilities) -> UUID | None:
        """The next for an agent, if there is any."""
        scans = [scans[lane] for scans in (self.by_deadline, self.by_rank) for lane in able(agent)]
        for scan in scans:
            while scan and scan[0][1] not in self.waiting:
                heapq.heappop(scan)
        candidates = [self.waiting[scan[0][1]] for scan in scans if scan]
        return self.waiting.pop(in_order(candidates, now)[0].id).id if candidates else None


class ValueFirst:
    """What the product does not do: who is worth more comes first, whatever is due."""

    def __init__(self) -> None:
        self.waiting: dict[Lane, list[tuple[int, datetime, UUID]]] = {lane: [] for lane in ASKED}

    def put(self, key: UUID, work: Work) -> None:
        """It waits."""
        heapq.heappush(self.waiting[work.lane], (-_BANDS.index(work.band), work.due, key))

    def take(self, now: datetime, agent: Abilities) -> UUID | None:
        """The next for an agent, if there is any."""
        lanes = [self.waiting[lane] for lane in able(agent) if self.waiting[lane]]
        return heapq.heappop(min(lanes))[-1] if lanes else None


def played(work: list[Work], queue: Queue | ValueFirst) -> dict[Band, Late]:
    """What became late. What is never begun counts, too: it waits until the end."""
    found = {band: Late() for band in Band}
    coming = iter(enumerate(work))
    ahead = next(coming, None)
    free = [(_START, agent) for agent in range(len(AGENTS))]  # from when each agent is
    while free:
        now, agent = free[0]
        while ahead and ahead[1].come <= now:
            queue.put(UUID(int=ahead[0]), ahead[1])
            ahead = next(coming, None)
        key = queue.take(now, AGENTS[agent])
        if key is None and ahead is None:
            heapq.heappop(free)  # there will be nothing for them any more
            continue
        if key is None:
            heapq.heapreplace(free, (ahead[1].come, agent))  # they look again when something comes
            continue
        done = work[key.int]
        heapq.heapreplace(free, (now + done.takes, agent))
        each = found[done.band]
        each.work += 1
        each.late += now + done.takes > done.due
        each.waited += now - done.come
    return found


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
