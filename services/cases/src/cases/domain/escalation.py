"""An escalation: somebody with more authority is asked, and the next level after them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from cases.domain.facts import (
    EscalationCancelled,
    EscalationRaised,
    EscalationStarted,
    EscalationTaken,
)
from cases.names import CASE, CLOCK, CUSTOMER, DEPARTMENT, ESCALATION, PROMISE
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of


class EscalationReason(StrEnum):
    """Why somebody with more authority is asked."""

    CUSTOMER_ASKED = "CUSTOMER_ASKED"
    BEYOND_AUTHORITY = "BEYOND_AUTHORITY"
    PROMISE_BROKEN = "PROMISE_BROKEN"
    CLOCK_WARNED = "CLOCK_WARNED"
    CLOCK_BREACHED = "CLOCK_BREACHED"


SAID_BY_PEOPLE = frozenset({EscalationReason.CUSTOMER_ASKED, EscalationReason.BEYOND_AUTHORITY})


class EscalationState(StrEnum):
    """Where an escalation is."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    CANCELLED = "CANCELLED"


class Level(NamedTuple):
    """Somebody who was asked, and until when they have."""

    agent: str  # by name
    start_time: datetime
    due_time: datetime


@dataclass(slots=True)
class Escalation:
    """That somebody is asked to take a case or a promise. The lists are its levels, a column each field."""

    id: UUID
    customer_id: UUID
    department_id: str
    reason: EscalationReason
    create_time: datetime
    update_time: datetime
    due_time: datetime
    case_id: UUID | None = None
    promise_id: UUID | None = None
    clock_id: UUID | None = None
    answer_promise_id: UUID | None = None
    state: EscalationState = EscalationState.OPEN
    assignee: str = ""
    end_time: datetime | None = None
    agents: list[str] = field(default_factory=list)
    start_times: list[datetime] = field(default_factory=list)
    due_times: list[datetime] = field(default_factory=list)
    version: int = 1

    name = ESCALATION.named("id")
    case = CASE.named("case_id")
    promise = PROMISE.named("promise_id")
    clock = CLOCK.named("clock_id")
    customer = CUSTOMER.named("customer_id")
    department = DEPARTMENT.named("department_id")
    answer_promise = PROMISE.named("answer_promise_id")

    @property
    def levels(self) -> list[Level]:
        """Who was asked so far, in this order."""
        return [Level(*each) for each in zip(self.agents, self.start_times, self.due_times, strict=True)]

    @property
    def broken_id(self) -> UUID | None:
        """The promise of which it is told that it was broken, if it is not about a clock."""
        return None if self.clock_id else self.promise_id

    def start(self, level: Level) -> EscalationStarted:
        """Ask the first."""
        self._ask(level)
        return fact_of(EscalationStarted, self)

    def escalate(self, level: Level) -> EscalationRaised:
        """Ask the next one."""
        self._ask(level)
        self.version += 1
        return fact_of(EscalationRaised, self)

    def was_asked(self, agent: str) -> bool:
        """Whether they are one of its levels."""
        return agent in self.agents

    def take(self, assignee: str, now: datetime) -> EscalationTaken:
        """Somebody sees to it. Refused when it ended (`ESCALATION_ENDED`)."""
        if self.state is not EscalationState.OPEN:
            told = f"{self.name} ended: it is {self.state.lower()}."
            raise FailedPrecondition("ESCALATION_ENDED", told, {"resource": self.name, "state": self.state})
        self.assignee = assignee
        self._end(EscalationState.TAKEN, now)
        return fact_of(EscalationTaken, self)

    def cancel(self, now: datetime) -> EscalationCancelled:
        """Nobody is asked any more: what it was about is settled, or somebody else's."""
        self._end(EscalationState.CANCELLED, now)
        return fact_of(EscalationCancelled, self)

    def _ask(self, level: Level) -> None:
        self.assignee, self.due_time = level.agent, level.due_time
        self.agents = [*self.agents, level.agent]
        self.start_times = [*self.start_times, level.start_time]
        self.due_times = [*self.due_times, level.due_time]

    def _end(self, state: EscalationState, now: datetime) -> None:
        self.state, self.end_time = state, now
        self.version += 1


def path(above: Iterable[str], owner: str | None, front_desk: str, reason: EscalationReason) -> list[str]:
    """Who is to be asked, one after the other: who is `above` the owner, and at last the front desk.

    What people say goes past the owner, who cannot go on. What went wrong reaches them where nobody is above.
    """
    levels = [each for each in dict.fromkeys(above) if each not in (owner, front_desk)]
    if reason in SAID_BY_PEOPLE:
        return levels if owner == front_desk else [*levels, front_desk]
    if not levels and owner and owner != front_desk:
        levels = [owner]
    return [*levels, front_desk]
