"""What is to be done next, and why.

Work comes in the order of its deadlines. What its customer is worth, and that an agent knows them, put it as
many minutes before its deadline as is given here: enough to come before what is due somewhat later, and too
little to outweigh a promise. Once its deadline is near, that alone counts, so that nobody waits past it
because they are worth less.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cases.domain.deadline import DeadlineBasis
from cases.domain.work_item import WorkItem

NEAR = timedelta(hours=4)
CONTINUITY = timedelta(hours=2)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Work that may be the next, for somebody who knows its customer or does not."""

    id: UUID
    create_time: datetime
    deadline_time: datetime
    deadline_basis: DeadlineBasis
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
class NextWork:
    """What an agent was given, by which numbers; nothing, when there is nothing to do."""

    work_item: WorkItem | None = None
    deadline_time: datetime | None = None
    deadline_basis: DeadlineBasis | None = None
    deadline_near: bool = False
    value_minutes: int = 0
    continuity_minutes: int = 0
    wait_minutes: int = 0
    summary: str = ""


def given(work_item: WorkItem, chosen: Candidate, now: datetime) -> NextWork:
    """Why work comes first, in the numbers that it was chosen by."""
    return NextWork(
        work_item,
        chosen.deadline_time,
        chosen.deadline_basis,
        chosen.near(now),
        value_minutes=(chosen.deadline_time - chosen.rank_time) // _MINUTE,
        continuity_minutes=chosen.continuity // _MINUTE,
        wait_minutes=(now - chosen.create_time) // _MINUTE,
        summary=_why(chosen, now),
    )


_BASES = {
    DeadlineBasis.PROMISE: "it was promised",
    DeadlineBasis.CLOCK: "its clock says so",
    DeadlineBasis.AGE: "nobody waits for ever",
}


def _why(chosen: Candidate, now: datetime) -> str:
    due = f"{chosen.deadline_time:%Y-%m-%d %H:%M} UTC, as {_BASES[chosen.deadline_basis]}"
    if chosen.near(now):
        verb = "was" if chosen.deadline_time <= now else "is"
        return f"It {verb} due at {due}: that comes before anything else."
    sooner = [
        f"{minutes} minutes sooner as {why}"
        for minutes, why in (
            ((chosen.deadline_time - chosen.rank_time) // _MINUTE, "the customer is worth more"),
            (chosen.continuity // _MINUTE, "you know the customer"),
        )
        if minutes
    ]
    counted = f"; it comes {' and '.join(sooner)}" if sooner else ""
    return f"It is due at {due}, and nothing is due soon{counted}."
