"""The job that matches everybody, and by which parameters."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.names import MATCH_JOB, MATCH_PARAMETERS


@dataclass(slots=True)
class MatchParameters:
    """A version of what matches are weighed by; its `document` is the matcher's, and never changes."""

    id: UUID
    digest: str
    learned: bool
    customer_count: int
    document: str
    create_time: datetime
    activate_time: datetime
    version: int = 1

    name = MATCH_PARAMETERS.named("id")


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class NotLearned(StrEnum):
    """Why nothing was learned for a job."""

    TOO_FEW = "too-few-customers"
    TOGETHER = "people-who-live-together"
    TOO_LONG = "took-too-long"


class Phase(StrEnum):
    """What a job that runs does: everybody gets keys, then parameters are learned, then all are compared."""

    INDEX = "INDEX"
    LEARN = "LEARN"
    MATCH = "MATCH"


@dataclass(slots=True)
class MatchJob:
    """A matching of everybody, as far as `last_id` in its phase."""

    id: UUID
    retrain: bool
    state: JobState
    phase: Phase
    last_id: UUID
    match_parameters_id: UUID | None
    customer_count: int
    matched_count: int
    candidate_count: int
    linked_count: int
    skipped_key_count: int
    create_time: datetime
    update_time: datetime
    end_time: datetime | None
    reason_code: str
    version: int

    name = MATCH_JOB.named("id")

    def end(self, state: JobState, now: datetime) -> None:
        """Be done or given up."""
        self.state, self.end_time, self.version = state, now, self.version + 1


def too_few(count: int, least: int) -> NoReturn:
    """Refuse to learn from so few."""
    told = f"There must be {least} customers with something to compare; there are {count}."
    raise FailedPrecondition("TOO_FEW_CUSTOMERS", told, {"least": least, "count": count})
