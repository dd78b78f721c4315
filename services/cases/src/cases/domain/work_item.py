"""A work item: a department's part of a case."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cases.domain.facts import WorkItemFinished, WorkItemForecast, WorkItemStarted
from cases.names import CASE, CUSTOMER, DEPARTMENT, WORK_ITEM
from chassis.errors import FailedPrecondition, invalid
from chassis.facts import fact_of


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
    version: int = 1

    name = WORK_ITEM.named("id")
    case = CASE.named("case_id")
    customer = CUSTOMER.named("customer_id")
    department = DEPARTMENT.named("department_id")

    def forecast(self, finish_time: datetime, reason_code: str) -> WorkItemForecast:
        """Say when the work is now expected to finish, and why."""
        self.require_unfinished()
        previous = self.forecast_finish_time
        self.forecast_finish_time, self.forecast_reason_code = finish_time, reason_code
        self.version += 1
        return fact_of(
            WorkItemForecast, self, previous_forecast_finish_time=previous, reason_code=reason_code
        )

    def start(self, now: datetime) -> WorkItemStarted:
        """Begin the work."""
        if self.state is not WorkItemState.PENDING:
            told = f"{self.name} is {self.state}: only pending work can be started."
            raise FailedPrecondition("WORK_ITEM_STARTED", told, {"resource": self.name, "state": self.state})
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
        self.version += 1
        return fact_of(WorkItemFinished, self)

    def require_unfinished(self) -> None:
        """Refuse what makes no sense once the work is done (`WORK_ITEM_FINISHED`)."""
        if self.state is WorkItemState.FINISHED:
            told = f"{self.name} is finished: create another work item."
            raise FailedPrecondition("WORK_ITEM_FINISHED", told, {"resource": self.name})
