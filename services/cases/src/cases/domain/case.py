"""A case: one accountable owner and one customer-visible state at all times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cases.domain.facts import (
    CaseAssigned,
    CaseMerged,
    CasePrioritized,
    CaseReopened,
    CaseResolved,
    CaseUnmerged,
    CaseUpdated,
    NoteCreated,
)
from cases.domain.priority import RULE, RULE_VERSION, Harm, Priority, Standing, in_words, prioritized
from cases.names import AGENT, CASE, CUSTOMER, DEPARTMENT, NOTE
from chassis.errors import FailedPrecondition
from chassis.facts import Told, Why, changed, fact_of, why_told


class CaseState(StrEnum):
    """Where the concern is, as the customer sees it."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    MERGED = "MERGED"


class CaseKind(StrEnum):
    """What a case is."""

    CONCERN = "CONCERN"
    PROBLEM = "PROBLEM"


@dataclass(slots=True)
class Case:
    """An end-to-end customer concern."""

    id: UUID
    customer_id: UUID
    topic: str
    display_name: str
    owner_id: str
    department_id: str
    open_time: datetime
    update_time: datetime
    state: CaseState = CaseState.OPEN
    resolution: str = ""
    resolve_time: datetime | None = None
    reopen_count: int = 0
    reopen_reason_code: str = ""
    harm: Harm = Harm.INCONVENIENCE
    priority: Priority = Priority.P3
    priority_reasons: list[str] = field(default_factory=list)
    kind: CaseKind = CaseKind.CONCERN
    survivor_id: UUID | None = None  # of the case with which a merged one is read and settled
    version: int = 1

    name = CASE.named("id")
    customer = CUSTOMER.named("customer_id")
    owner = AGENT.named("owner_id")
    department = DEPARTMENT.named("department_id")
    merged_into = CASE.named("survivor_id")

    def update(self, changes: Mapping[str, Any]) -> CaseUpdated | None:
        """Describe it otherwise, whatever its state. Nothing when it is described so already."""
        fields = changed(self, changes)
        return fact_of(CaseUpdated, self, updated_fields=fields) if fields else None

    def weigh(self, standing: Standing, merged: Iterable[Harm] = ()) -> bool:
        """Say how pressing it is, by what the customer is to us and the worst harm. Whether that is new.

        `merged` are the harms of what was merged into it: they are seen to with it, and with nothing else.
        """
        before = self.priority, self.priority_reasons
        worst = max([self.harm, *merged], key=list(Harm).index)
        self.priority, self.priority_reasons = prioritized(worst, standing)
        return before != (self.priority, self.priority_reasons)

    def prioritize(self, standing: Standing, merged: Iterable[Harm] = ()) -> CasePrioritized | None:
        """As `weigh`, of one that others know. Nothing when it is as pressing as it was."""
        before = self.priority
        if not self.weigh(standing, merged):
            return None
        self.version += 1
        return fact_of(CasePrioritized, self, previous_priority=before)

    def assign(self, owner_id: str, department_id: str) -> CaseAssigned:
        """Make somebody else accountable, whatever its state: the owner answers for a resolved case too."""
        before = {"previous_owner": self.owner, "previous_department": self.department}
        self.owner_id, self.department_id = owner_id, department_id
        self.version += 1
        return fact_of(CaseAssigned, self, **before)

    def resolve(self, resolution: str, now: datetime, unfinished_work_items: int) -> CaseResolved:
        """Settle it. Refused while a department still has work to do (`WORK_ITEM_OPEN`)."""
        self.require_finished(unfinished_work_items)
        self.state, self.resolution, self.resolve_time = CaseState.RESOLVED, resolution, now
        self.version += 1
        return fact_of(CaseResolved, self)

    def reopen(self, reason_code: str) -> CaseReopened:
        """Open it again."""
        self.require_unmerged()
        if self.state is not CaseState.RESOLVED:
            told = f"{self.name} is open: only a resolved case can be reopened."
            raise FailedPrecondition("CASE_OPEN", told, {"resource": self.name})
        self.state, self.resolution, self.resolve_time = CaseState.OPEN, "", None
        self.reopen_count += 1
        self.reopen_reason_code = reason_code
        self.version += 1
        return fact_of(CaseReopened, self, reason_code=reason_code)

    def merge_into(self, survivor: "Case", reason_code: str) -> CaseMerged:
        """Be read and settled with another case: directly, or since that was merged into another itself."""
        self.state, self.survivor_id = CaseState.MERGED, survivor.id
        self.version += 1
        return fact_of(CaseMerged, self, reason_code=reason_code)

    def unmerge(self, reason_code: str) -> CaseUnmerged:
        """Stand by itself again, settled or not as it was."""
        merged_into, self.survivor_id = self.merged_into, None
        self.state = CaseState.RESOLVED if self.resolve_time else CaseState.OPEN
        self.version += 1
        return fact_of(CaseUnmerged, self, merged_into=merged_into, reason_code=reason_code)

    def require_finished(self, unfinished_work_items: int) -> None:
        """Refuse to settle what is settled, or on which there is work left (`WORK_ITEM_OPEN`)."""
        self.require_open()
        if unfinished_work_items:
            raise FailedPrecondition(
                "WORK_ITEM_OPEN",
                f"{self.name} has {unfinished_work_items} unfinished work items: finish them first.",
                {"resource": self.name, "unfinished_work_items": unfinished_work_items},
            )

    def require_unmerged(self) -> None:
        """Refuse what is done with the case that goes on (`CASE_MERGED`)."""
        if self.state is CaseState.MERGED:
            told = f"{self.name} is merged into {self.merged_into}: turn to that, or unmerge it first."
            raise FailedPrecondition(
                "CASE_MERGED", told, {"resource": self.name, "merged_into": self.merged_into}
            )

    def require_open(self) -> None:
        """Refuse what only an open case allows (`CASE_RESOLVED`, `CASE_MERGED`)."""
        self.require_unmerged()
        if self.state is not CaseState.OPEN:
            told = f"{self.name} is resolved: reopen it first."
            raise FailedPrecondition("CASE_RESOLVED", told, {"resource": self.name})


def why_case(case: Case, told: Told) -> Why:
    """Why a case is as it is: what happened last, and how pressing that makes it."""
    happened = why_told(case, told).summary
    return Why(f"{happened} {in_words(case.priority, case.priority_reasons)}".strip(), RULE, RULE_VERSION)


class Visibility(StrEnum):
    """Whom a note is for."""

    INTERNAL = "INTERNAL"
    CUSTOMER = "CUSTOMER"


@dataclass(slots=True)
class Note:
    """What somebody noted on a case, for colleagues or for the customer."""

    id: UUID
    case_id: UUID
    text: str
    author: str
    create_time: datetime
    visibility: Visibility = Visibility.INTERNAL

    name = NOTE.named("case_id", "id")

    def created(self, case: Case) -> NoteCreated:
        """The fact that it was written; not what it says."""
        about = {"customer": case.customer, "topic": case.topic, "department": case.department}
        return fact_of(NoteCreated, self, case=case.name, **about)
