"""One thing that is done to many cases, to each of them once."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cases.domain.case import Case, Visibility
from cases.domain.facts import CaseJobEnded
from cases.names import AGENT, CASE, CASE_JOB, DEPARTMENT
from chassis.errors import FailedPrecondition, PermissionDenied
from chassis.facts import fact_of

CASES_MAX = 10_000
BEGINNING = UUID(int=0)  # before every id


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to a case."""

    owner_id: str | None
    topic: str
    note_text: str
    note_visibility: Visibility | None
    resolution: str

    owner = AGENT.named("owner_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be done to which cases."""

    department_id: str | None
    filter: str
    problem_id: UUID | None
    change: Change


@dataclass(slots=True)
class CaseJob:
    """A job, as far as `last_id`: of a case, or of the link of one with the problem."""

    id: UUID
    department_id: str
    all_departments: bool  # whether it may change the cases of all
    filter: str
    problem_id: UUID | None
    owner_id: str | None
    topic: str
    note_text: str
    note_visibility: Visibility
    resolution: str
    author: str
    case_count: int
    create_time: datetime
    update_time: datetime
    cause_id: UUID | None = None  # of whatever it does: the fact that it was created
    last_id: UUID = BEGINNING
    done_count: int = 0
    refused_count: int = 0
    state: JobState = JobState.RUNNING
    end_time: datetime | None = None
    version: int = 1

    name = CASE_JOB.named("id")
    department = DEPARTMENT.named("department_id")
    problem = CASE.named("problem_id")

    @property
    def change(self) -> Change:
        """What it does, of which it has a column for each thing."""
        return Change(**{each.name: getattr(self, each.name) for each in fields(Change)})

    def require_bounded(self) -> None:
        """Refuse more cases than one job takes (`TOO_MANY_CASES`)."""
        if self.case_count > CASES_MAX:
            told = f"A job takes at most {CASES_MAX} cases: narrow the filter."
            raise FailedPrecondition("TOO_MANY_CASES", told, {"resource": self.name, "most": CASES_MAX})

    def require_doable(self, case: Case, unfinished: int) -> None:
        """Refuse a case to which it cannot be done, before anything is changed.

        PermissionDenied NOT_OWNER; FailedPrecondition CASE_MERGED, and what `Case.resolve` refuses.
        """
        case.require_unmerged()
        if self.owner_id or self.topic or self.resolution:
            self._require_ours(case)
        if self.resolution:
            case.require_finished(unfinished)

    def count(self, reason: str) -> None:
        """Count a case to which it was done, or could not be done for a reason."""
        self.done_count += not reason
        self.refused_count += bool(reason)

    def end(self, state: JobState, now: datetime) -> CaseJobEnded:
        """Be done or given up."""
        self.state, self.end_time, self.version = state, now, self.version + 1
        return fact_of(CaseJobEnded, self)

    def _require_ours(self, case: Case) -> None:
        if not self.all_departments and case.department_id != self.department_id:
            told = f"This belongs to {case.department}: only its callers may do that."
            raise PermissionDenied("NOT_OWNER", told, {"resource": case.name, "owner": case.department})
