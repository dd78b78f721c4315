"""A work item: a department's part of a case."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cases.domain.call import CALL_LATER, Call
from cases.domain.deadline import Deadline, DeadlineBasis
from cases.domain.facts import (
    WorkItemAssigned,
    WorkItemBlocked,
    WorkItemCalled,
    WorkItemFinished,
    WorkItemForecast,
    WorkItemHandedOver,
    WorkItemStarted,
    WorkItemUnblocked,
    WorkItemUpdated,
)
from cases.domain.lane import Lane, spoken
from cases.names import AGENT, CASE, CUSTOMER, DEPARTMENT, TEAM, WORK_ITEM
from chassis.errors import FailedPrecondition, invalid
from chassis.facts import fact_of

PREDECESSOR_LATE = "predecessor-late"
CUSTOMER_ANSWER = "customer-answer"  # of blocked work: the customer is shown that it waits for them


class WorkItemState(StrEnum):
    """Where the work is."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    FINISHED = "FINISHED"


@dataclass(slots=True)
class WorkItem:
    """A department's part of a case."""

    id: UUID
    case_id: UUID
    customer_id: UUID
    department_id: str
    kind: str
    reference: str
    create_time: datetime
    update_time: datetime
    state: WorkItemState = WorkItemState.PENDING
    forecast_finish_time: datetime | None = None
    forecast_reason_code: str = ""
    start_time: datetime | None = None
    finish_time: datetime | None = None
    display_name: str = ""  # what is to be done, as it was said: personal
    predecessor_ids: list[UUID] = field(default_factory=list)  # what it waits for, oldest first
    duration_minutes: int = 0  # that it takes once what it waits for is finished
    # Whether the forecast is what it waits for, plus that; then what its department said itself, if it did.
    bound: bool = False
    said_finish_time: datetime | None = None
    said_reason_code: str = ""
    assignee_id: str | None = None
    block_time: datetime | None = None
    block_reason_code: str = ""
    held: bool = False  # what it waits for cannot go on: see `dependencies.py`
    handoff_count: int = 0
    return_count: int = 0
    fields: dict[str, str] = field(default_factory=dict)  # what its department has to know: personal
    deadline_time: datetime | None = None  # this and what follows: its place in the queue, see `queue.py`
    deadline_basis: DeadlineBasis = DeadlineBasis.AGE
    rank_time: datetime | None = None
    team_id: str | None = None
    required_skills: list[str] = field(default_factory=list)
    language_code: str = ""
    lane: str = ""  # whom it can be given to now, see `lane.py`
    queue_time: datetime | None = None  # when it came to its department
    call: Call | None = None  # of work that is one
    version: int = 1

    name = WORK_ITEM.named("id")
    case = CASE.named("case_id")
    customer = CUSTOMER.named("customer_id")
    department = DEPARTMENT.named("department_id")
    assignee = AGENT.named("assignee_id")
    team = TEAM.named("team_id")

    @property
    def predecessors(self) -> list[str]:
        """The names of what it waits for."""
        return [WORK_ITEM.format(each) for each in self.predecessor_ids]

    @property
    def end(self) -> datetime | None:
        """When it was, or is expected to be, finished; None when nobody knows."""
        return self.finish_time or self.forecast_finish_time

    @property
    def can_go_on(self) -> bool:
        """Whether neither it nor what it waits for is blocked."""
        return self.block_time is None and not self.held

    @property
    def unattended(self) -> bool:
        """Whether nobody has begun it, nor been given it."""
        return self.state is WorkItemState.PENDING and self.assignee_id is None

    def forecast(
        self, finish_time: datetime, reason_code: str, earliest: datetime | None = None
    ) -> WorkItemForecast:
        """Say when the work is now expected to finish, and why. `earliest` is as for `wait_until`."""
        self.require_unfinished()
        previous = self.forecast_finish_time
        self._expect(finish_time, reason_code, earliest)
        return self._forecast(previous)

    def wait_until(self, earliest: datetime | None) -> WorkItemForecast | None:
        """Be expected when what it waits for lets it, `earliest`, or when its department said, if later.

        None is when nobody knows: the forecast that it had stands then, until somebody says more. Nothing is
        told when the same is expected as before.
        """
        before = self.forecast_finish_time, self.forecast_reason_code
        said, why = (self.said_finish_time, self.said_reason_code) if self.bound else before
        if said is None and earliest is None:
            self.bound = False
            return None
        self._expect(said, why, earliest)
        now = self.forecast_finish_time, self.forecast_reason_code
        return None if now == before else self._forecast(before[0])

    def _expect(self, said: datetime | None, why: str, earliest: datetime | None) -> None:
        self.bound = earliest is not None and (said is None or earliest > said)
        self.said_finish_time, self.said_reason_code = (said, why) if self.bound else (None, "")
        self.forecast_finish_time = earliest if self.bound else said
        self.forecast_reason_code = PREDECESSOR_LATE if self.bound else why

    def _forecast(self, previous: datetime | None) -> WorkItemForecast:
        self.version += 1
        told = {"previous_forecast_finish_time": previous, "reason_code": self.forecast_reason_code}
        return fact_of(WorkItemForecast, self, **told)

    def depend(self, predecessor_ids: list[UUID]) -> WorkItemUpdated:
        """Wait for other work than before: see `dependencies.py` for what is allowed."""
        self.predecessor_ids = sorted(predecessor_ids)
        self.version += 1
        return fact_of(WorkItemUpdated, self, updated_fields=["predecessors"])

    def assign(self, assignee_id: str | None) -> WorkItemAssigned:
        """Have somebody do it, or nobody."""
        before, self.assignee_id = self.assignee, assignee_id
        self.version += 1
        return fact_of(WorkItemAssigned, self, previous_assignee=before)

    def put_back(self) -> WorkItemAssigned | None:
        """Be pending, and of nobody. Nothing is told when nobody had it."""
        self.state, self.start_time = WorkItemState.PENDING, None
        return self.assign(None) if self.assignee_id else None

    def called(self, call: Call, identifier: str) -> WorkItemCalled:
        """Keep what became of the last attempt at the call that it is, by which number."""
        outcome = call.attempts[-1].outcome
        self.version += 1
        return fact_of(
            WorkItemCalled,
            self,
            reason_code=call.reason_code,
            outcome=outcome,
            outcome_code=outcome.code,
            channel=outcome.channel,
            attempt_count=len(call.attempts),
            identifier=identifier,
            promise=call.promise,
            call_time=call.call_time,
        )

    def require_call(self) -> Call:
        """What it is as a call that is not over (`NOT_A_CALL`, `WORK_ITEM_FINISHED`)."""
        call = self.call
        if call is None:
            told = f"{self.name} is no call: finish it when it is done."
            raise FailedPrecondition("NOT_A_CALL", told, {"resource": self.name})
        self.require_unfinished()
        return call

    def block(self, reason_code: str, now: datetime) -> WorkItemBlocked:
        """It cannot go on."""
        self.require_unfinished()
        self._require_unblocked()
        self.block_time, self.block_reason_code = now, reason_code
        self.version += 1
        return fact_of(WorkItemBlocked, self, reason_code=reason_code)

    def unblock(self) -> WorkItemUnblocked:
        """It can go on."""
        if self.block_time is None:
            told = f"{self.name} is not blocked: there is nothing to unblock."
            raise FailedPrecondition("WORK_ITEM_NOT_BLOCKED", told, {"resource": self.name})
        since, why = self.block_time, self.block_reason_code
        self.block_time, self.block_reason_code = None, ""
        self.version += 1
        return fact_of(WorkItemUnblocked, self, block_time=since, reason_code=why)

    def hand_over(
        self, department_id: str, reason_code: str, *, asked_customer_again: bool, returned: bool
    ) -> WorkItemHandedOver:
        """Give it to another department, for which it is pending, of nobody, and can go on.

        A call that the customer wants later is not to be made sooner for that.
        """
        self.require_unfinished()
        if department_id == self.department_id:
            told = f"{self.name} is of {self.department} already: hand it over to another."
            raise FailedPrecondition("SAME_DEPARTMENT", told, {"resource": self.name})
        before, self.department_id = self.department, department_id
        self.state, self.start_time, self.assignee_id = WorkItemState.PENDING, None, None
        if self.block_reason_code != CALL_LATER:
            self.block_time, self.block_reason_code = None, ""
        self.handoff_count += 1
        self.return_count += returned
        self.version += 1
        return fact_of(
            WorkItemHandedOver,
            self,
            previous_department=before,
            reason_code=reason_code,
            asked_customer_again=asked_customer_again,
            returned=returned,
        )

    def start(self, now: datetime) -> WorkItemStarted:
        """Begin the work."""
        if self.state is not WorkItemState.PENDING:
            told = f"{self.name} is {self.state}: only pending work can be started."
            raise FailedPrecondition("WORK_ITEM_STARTED", told, {"resource": self.name, "state": self.state})
        self._require_unblocked()
        self.state, self.start_time = WorkItemState.STARTED, now
        self.version += 1
        return fact_of(WorkItemStarted, self)

    def finish(self, finish_time: datetime) -> WorkItemFinished:
        """End the work, begun or not: what is done is done.

        InvalidArgument INVALID_TIME when it was finished before it was created.
        """
        self.require_unfinished()
        if finish_time < self.create_time:
            created = self.create_time.isoformat()
            raise invalid("finish_time", "INVALID_TIME", f"must not be before {created}, when it was created")
        self.state, self.finish_time = WorkItemState.FINISHED, finish_time
        self.block_time, self.block_reason_code, self.held = None, "", False
        self.version += 1
        return fact_of(WorkItemFinished, self)

    def be_due(self, deadline: Deadline) -> None:
        """Take its place in the queue, which is no change of the work itself."""
        self.deadline_time, self.deadline_basis = deadline.deadline_time, deadline.deadline_basis
        self.rank_time = deadline.rank_time

    def route(self, team_id: str | None, skills: list[str], language_code: str, now: datetime) -> None:
        """Wait in the queue of its department for whoever it is for, first for who speaks its language."""
        self.team_id, self.required_skills, self.language_code = team_id, sorted(set(skills)), language_code
        self.queue_time = now
        self.lane = str(Lane(team_id, frozenset(skills), spoken(language_code)))

    @property
    def language_reserved(self) -> bool:
        """Whether only who speaks its language is given it."""
        return bool(Lane.of(self.lane).language)

    def open_to_all_languages(self) -> None:
        """Wait for whoever can do it. That is no change of the work itself."""
        self.lane = str(Lane(self.team_id, frozenset(self.required_skills)))

    def require_unfinished(self) -> None:
        """Refuse what makes no sense once the work is done (`WORK_ITEM_FINISHED`)."""
        if self.state is WorkItemState.FINISHED:
            told = f"{self.name} is finished: create another work item."
            raise FailedPrecondition("WORK_ITEM_FINISHED", told, {"resource": self.name})

    def _require_unblocked(self) -> None:
        if self.block_time:
            told = f"{self.name} cannot go on since {self.block_time.isoformat()}: unblock it first."
            raise FailedPrecondition(
                "WORK_ITEM_BLOCKED", told, {"resource": self.name, "block_time": self.block_time.isoformat()}
            )
