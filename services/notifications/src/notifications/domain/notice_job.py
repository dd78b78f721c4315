"""One message to many customers, requested for each of them once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.facts import fact_of
from notifications.domain.facts import NoticeJobEnded
from notifications.domain.strategy import DeliveryStrategy
from notifications.names import DEPARTMENT, JOB, TEMPLATE

# Why a job is blocked.
INVALID_FILTER, INVALID_WORDS = "invalid-filter", "invalid-words"
CUSTOMERS_NOT_ASKED = "customers-not-asked"
AT_ONCE, PER_MINUTE = 50, 60


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    BLOCKED = "BLOCKED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be said, and to whom."""

    department_id: str | None
    filter: str
    kind: str
    template_id: str
    variables: dict[str, str]
    delivery: DeliveryStrategy | None
    schedule_time: datetime | None
    expire_time: datetime | None
    rate_per_minute: int


@dataclass(slots=True)
class NoticeJob:
    """A job, as far as the customers before `page_token`; `step` counts how often it went on."""

    id: UUID
    department_id: str
    filter: str
    kind: str
    template_id: str
    variables: dict[str, str]
    rate_per_minute: int
    author: str
    create_time: datetime
    update_time: datetime
    delivery: DeliveryStrategy | None = None
    schedule_time: datetime | None = None
    expire_time: datetime | None = None
    cause_id: UUID | None = None  # of whatever it does: the fact that it was created
    page_token: str = ""
    step: int = 0
    requested_count: int = 0
    refused_count: int = 0
    state: JobState = JobState.RUNNING
    reason_code: str = ""
    end_time: datetime | None = None
    version: int = 1

    name = JOB.named("id")
    department = DEPARTMENT.named("department_id")
    template = TEMPLATE.named("template_id")

    @property
    def begins(self) -> datetime:
        """From when on it goes from customer to customer: to those who are there before then."""
        return self.schedule_time or self.create_time

    @property
    def work_key(self) -> str:
        """Of the work that its next step is: each step is another, so that what is over cannot go on."""
        return f"{self.id}/{self.step}"

    @property
    def at_once(self) -> int:
        """To how many customers it goes in a step."""
        return min(self.rate_per_minute, AT_ONCE)

    def due_for(self, key: str) -> bool:
        """Whether the step that a key of work names is the next, and to be taken."""
        return self.state is JobState.RUNNING and self.work_key == key

    def over(self, now: datetime) -> bool:
        """Whether there is nothing to say any more."""
        return self.expire_time is not None and self.expire_time <= now

    def go_on(self, page_token: str) -> None:
        """A step is done: the next begins there."""
        self.page_token, self.step = page_token, self.step + 1

    def pause(self) -> None:
        """Go no further, for somebody wants so, until it is resumed."""
        self.state, self.version = JobState.PAUSED, self.version + 1

    def block(self, reason_code: str) -> None:
        """Go no further, for it cannot, until that is mended and it is resumed."""
        self.state, self.reason_code, self.version = JobState.BLOCKED, reason_code, self.version + 1

    def resume(self) -> None:
        """Go on where it was."""
        self.state, self.reason_code, self.version = JobState.RUNNING, "", self.version + 1
        self.step += 1

    def end(self, state: JobState, now: datetime) -> NoticeJobEnded:
        """Be done, with every customer seen or nothing to say any more, or given up."""
        self.state, self.reason_code, self.end_time = state, "", now
        self.version += 1
        return fact_of(NoticeJobEnded, self)
