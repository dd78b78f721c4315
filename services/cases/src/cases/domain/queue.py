"""What is to be done next, and why.

Work comes in the order of its deadlines. What its customer is worth, and that an agent knows them, put it as
many minutes before its deadline as is given here: enough to come before what is due somewhat later, and too
little to outweigh a promise. Once its deadline is near, that alone counts, so that nobody waits past it
because they are worth less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cases.domain.deadline import DeadlineBasis
from cases.domain.lane import Abilities, Lane
from cases.domain.work_item import WorkItem
from cases.names import DEPARTMENT, QUEUE, TEAM

NEAR = timedelta(hours=4)
CONTINUITY = timedelta(hours=2)
SHOWN_MAX = 10  # of what an agent has not
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Work that may be the next, for somebody who knows its customer or does not."""

    id: UUID
    deadline_time: datetime
    rank_time: datetime
    known: bool

    def near(self, now: datetime) -> bool:
        """Whether its deadline alone counts."""
        return self.deadline_time <= now + NEAR

    @property
    def continuity(self) -> timedelta:
        """How much sooner it comes to who knows its customer."""
        return CONTINUITY if self.known else timedelta()


def in_order(candidates: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """What comes first, first."""

    def place(each: Candidate) -> tuple[bool, datetime, UUID]:
        if each.near(now):
            return False, each.deadline_time, each.id
        return True, each.rank_time - each.continuity, each.id

    return sorted(candidates, key=place)


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """Work, and the numbers that its place in the queue follows from."""

    work_item: WorkItem
    deadline_time: datetime
    deadline_basis: DeadlineBasis
    deadline_near: bool
    value_minutes: int
    continuity_minutes: int
    wait_minutes: int
    language_reserved: bool


def queued(work_item: WorkItem, now: datetime, *, known: bool = False) -> QueuedWork:
    """Why work has its place, for somebody who knows its customer or does not."""
    deadline = work_item.deadline_time or work_item.create_time
    rank = work_item.rank_time or deadline
    seen = Candidate(work_item.id, deadline, rank, known)
    return QueuedWork(
        work_item,
        deadline,
        work_item.deadline_basis,
        seen.near(now),
        value_minutes=(deadline - rank) // _MINUTE,
        continuity_minutes=seen.continuity // _MINUTE,
        wait_minutes=max(0, (now - (work_item.queue_time or work_item.create_time)) // _MINUTE),
        language_reserved=work_item.language_reserved,
    )


class Reason(StrEnum):
    """Why there is nothing to do for an agent."""

    AWAY = "AWAY"
    BUSY = "BUSY"
    OFFLINE = "OFFLINE"
    CAPACITY = "CAPACITY"
    EMPTY = "EMPTY"
    FOR_OTHERS = "FOR_OTHERS"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is nothing to do for an agent."""

    reason: Reason
    open_work_count: int
    capacity: int
    missing_skills: Sequence[str] = ()
    missing_teams: Sequence[str] = ()
    missing_language_codes: Sequence[str] = ()
    until_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an agent was given, or why nothing."""

    work: QueuedWork | None = None
    nothing: Nothing | None = None


def for_others(lanes: Iterable[Lane], abilities: Abilities, open_work_count: int, capacity: int) -> Nothing:
    """What waits in these lanes is nothing that somebody can do, for want of what."""
    missing = [abilities.missing(lane) for lane in lanes]
    if not missing:
        return Nothing(Reason.EMPTY, open_work_count, capacity)
    return Nothing(
        Reason.FOR_OTHERS,
        open_work_count,
        capacity,
        sorted({skill for each in missing for skill in each.skills})[:SHOWN_MAX],
        sorted({TEAM.format(each.team_id) for each in missing if each.team_id})[:SHOWN_MAX],
        sorted({each.language for each in missing if each.language})[:SHOWN_MAX],
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in a department, or for a team of it, counted."""

    department_id: str
    waiting_count: int
    overdue_count: int
    oldest_time: datetime | None
    first: Sequence[QueuedWork]
    available_agent_count: int
    capped: bool = False

    name = QUEUE.named("department_id")
    department = DEPARTMENT.named("department_id")
