"""An escalation: a case is brought to somebody with more authority, and to the next one after them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from cases.domain.facts import (
    EscalationCancelled,
    EscalationStarted,
    EscalationStepped,
    EscalationTaken,
)
from cases.names import AGENT, CASE, CUSTOMER, DEPARTMENT, ESCALATION, PROMISE
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of


class EscalationRung(StrEnum):
    """Who somebody is to a case, in the order in which they are asked."""

    LEAD = "LEAD"
    HEAD = "HEAD"
    RELATIONSHIP_MANAGER = "RELATIONSHIP_MANAGER"


class EscalationReason(StrEnum):
    """Why a case is brought to somebody with more authority."""

    CUSTOMER_ASKED = "CUSTOMER_ASKED"
    PROMISE_BROKEN = "PROMISE_BROKEN"
    CLOCK_BREACHED = "CLOCK_BREACHED"
    BEYOND_AUTHORITY = "BEYOND_AUTHORITY"


class EscalationState(StrEnum):
    """Where an escalation is."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    CANCELLED = "CANCELLED"


class Step(NamedTuple):
    """One that a case was brought to, and until when they have."""

    rung: EscalationRung
    agent_id: str
    start_time: datetime
    due_time: datetime

    @property
    def agent(self) -> str:
        """Who was asked."""
        return AGENT.format(self.agent_id)


@dataclass(slots=True)
class Escalation:
    """That a case is brought to somebody. The lists are its steps, a column for each of their fields."""

    id: UUID
    case_id: UUID
    customer_id: UUID
    department_id: str
    reason: EscalationReason
    agent_id: str
    due_time: datetime
    create_time: datetime
    update_time: datetime
    promise_id: UUID | None = None
    state: EscalationState = EscalationState.OPEN
    taker: str = ""
    end_time: datetime | None = None
    rungs: list[str] = field(default_factory=list)
    agent_ids: list[str] = field(default_factory=list)
    start_times: list[datetime] = field(default_factory=list)
    due_times: list[datetime] = field(default_factory=list)
    version: int = 1

    name = ESCALATION.named("id")
    case = CASE.named("case_id")
    customer = CUSTOMER.named("customer_id")
    department = DEPARTMENT.named("department_id")
    agent = AGENT.named("agent_id")
    promise = PROMISE.named("promise_id")

    @property
    def steps(self) -> list[Step]:
        """Who was asked so far, in this order."""
        columns = zip(self.rungs, self.agent_ids, self.start_times, self.due_times, strict=True)
        return [Step(EscalationRung(rung), agent, start, due) for rung, agent, start, due in columns]

    @property
    def rung(self) -> EscalationRung:
        """Who the last one asked is to the case."""
        return EscalationRung(self.rungs[-1])

    def start(self, step: Step) -> EscalationStarted:
        """Ask the first."""
        self._ask(step)
        return fact_of(EscalationStarted, self, promise=self.promise or "")

    def step(self, step: Step) -> EscalationStepped:
        """Ask the next one."""
        self._ask(step)
        self.version += 1
        return fact_of(EscalationStepped, self)

    def take(self, taker: str, now: datetime) -> EscalationTaken:
        """Somebody speaks with the customer now. Refused when it ended (`ESCALATION_ENDED`)."""
        if self.state is not EscalationState.OPEN:
            told = f"{self.name} ended: it is {self.state.lower()}."
            raise FailedPrecondition("ESCALATION_ENDED", told, {"resource": self.name, "state": self.state})
        self.taker = taker
        self._end(EscalationState.TAKEN, now)
        return fact_of(EscalationTaken, self)

    def cancel(self, now: datetime) -> EscalationCancelled:
        """Nobody is asked any more: what it was about is settled."""
        self._end(EscalationState.CANCELLED, now)
        return fact_of(EscalationCancelled, self)

    def _ask(self, step: Step) -> None:
        self.agent_id, self.due_time = step.agent_id, step.due_time
        self.rungs, self.agent_ids = [*self.rungs, step.rung], [*self.agent_ids, step.agent_id]
        self.start_times = [*self.start_times, step.start_time]
        self.due_times = [*self.due_times, step.due_time]

    def _end(self, state: EscalationState, now: datetime) -> None:
        self.state, self.end_time = state, now
        self.version += 1


def next_rung(
    ladder: list[tuple[EscalationRung, str | None]], after: EscalationRung | None, passed: set[str]
) -> tuple[EscalationRung, str] | None:
    """The first further up who is there and was not `passed`: the case's owner, and who was asked before."""
    rungs = list(EscalationRung)
    start = rungs.index(after) + 1 if after else 0
    for rung, agent_id in ladder:
        if agent_id and agent_id not in passed and rungs.index(rung) >= start:
            return rung, agent_id
    return None
