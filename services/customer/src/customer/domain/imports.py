"""Import jobs: rows go in, somebody may look what they would do, they are applied, perhaps taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.names import DEPARTMENT, IMPORT_JOB


class ImportState(StrEnum):
    """Where an import is."""

    OPEN = "OPEN"
    COMMITTING = "COMMITTING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    PREVIEWING = "PREVIEWING"
    PREVIEWED = "PREVIEWED"
    REVERTING = "REVERTING"
    REVERTED = "REVERTED"


class ImportMode(StrEnum):
    """Whom rows may be about. UNSPECIFIED stands for anybody."""

    UNSPECIFIED = "UNSPECIFIED"
    CREATE = "CREATE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of some rows: how many did what."""

    created: int
    matched: int
    changed: int
    renamed: int
    skipped: int
    refused: int


@dataclass(slots=True)
class ImportJob:
    """One import of one file.

    Its rows are the doing of `importer`, who committed it with the call that `commit_id` names in the audit,
    however much later they are applied. `system` is whose customers they are; empty when nobody says.
    `rejected_count` are the rows that were refused as they came; `previewed_line` is how far was looked;
    `traced_count` are the rows of which it is kept what they did. `reverter` took them back, by the call
    `revert_id`.
    """

    id: UUID
    source: str
    state: ImportState
    row_count: int
    last_line: int
    refused_count: int
    created_count: int
    matched_count: int
    renamed_count: int
    department_id: str
    create_time: datetime
    update_time: datetime
    end_time: datetime | None
    importer: str = ""
    commit_id: UUID | None = None
    system: str = ""
    mode: ImportMode = ImportMode.UNSPECIFIED
    changed_count: int = 0
    skipped_count: int = 0
    rejected_count: int = 0
    previewed_line: int = 0
    traced_count: int = 0
    reverted_count: int = 0
    kept_count: int = 0
    revert_time: datetime | None = None
    revert_expire_time: datetime | None = None
    reverter: str = ""
    revert_id: UUID | None = None

    name = IMPORT_JOB.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def is_preview(self) -> bool:
        """Whether rows are looked at and not applied, or were."""
        return self.state in (ImportState.PREVIEWING, ImportState.PREVIEWED)

    def receive(self, last_line: int, accepted: int, rejected: int) -> None:
        """Count rows that came in."""
        self._require("take rows", ImportState.OPEN)
        self.row_count += accepted + rejected
        self.refused_count += rejected
        self.rejected_count += rejected
        self.last_line = max(self.last_line, last_line)

    def preview(self, importer: str, call_id: UUID) -> bool:
        """Begin to look what the rows would do; False when that was asked for before."""
        if self.is_preview:
            return False
        self._require("be previewed", ImportState.OPEN)
        self.state = ImportState.PREVIEWING
        self.importer, self.commit_id = importer, call_id
        return True

    def commit(self, importer: str, commit_id: UUID) -> bool:
        """Begin to apply the rows, counting anew; False when that was asked for before."""
        if self.state in COMMITTED:
            return False
        self._require("be committed", ImportState.OPEN, ImportState.PREVIEWED)
        self._count_anew()
        self.state = ImportState.COMMITTING
        self.importer, self.commit_id = importer, commit_id
        return True

    def cancel(self, now: datetime) -> bool:
        """Give up; False when that was asked for before."""
        if self.state == ImportState.CANCELLED:
            return False
        self._require("be cancelled", *WAITING)
        self._count_anew()
        self.state = ImportState.CANCELLED
        self.end_time = now
        return True

    def looked_at(self, outcomes: Outcomes, line: int, *, last: bool) -> None:
        """Count rows that would take effect, up to a line."""
        self._count(outcomes)
        self.previewed_line = line
        if last:
            self.state = ImportState.PREVIEWED

    def applied(self, outcomes: Outcomes, now: datetime, *, last: bool, kept_for: timedelta) -> None:
        """Count rows that took effect, and the others; the last ends the job.

        It can be taken back for so long, if it is kept of every row what it did: a replica of the release
        before keeps nothing.
        """
        self._count(outcomes)
        self.traced_count += outcomes.created + outcomes.matched + outcomes.skipped + outcomes.refused
        if last:
            self.state = ImportState.DONE
            self.end_time = now
            if self.traced_count == self.row_count - self.rejected_count:
                self.revert_expire_time = now + kept_for

    def revert(self, reverter: str, revert_id: UUID, now: datetime) -> bool:
        """Begin to take back what the rows did; False when that was asked for before.

        FailedPrecondition IMPORT_NOT_DONE; IMPORT_TOO_OLD when it is not kept any more.
        """
        if self.state in (ImportState.REVERTING, ImportState.REVERTED):
            return False
        told = {"resource": self.name, "state": self.state}
        if self.state != ImportState.DONE:
            only = f"Only an import that is DONE can be reverted; this one is {self.state}."
            raise FailedPrecondition("IMPORT_NOT_DONE", only, told)
        if self.revert_expire_time is None or now >= self.revert_expire_time:
            until = self.revert_expire_time
            why = f"until {until:%Y-%m-%d}" if until else "not of an import of an earlier release"
            raise FailedPrecondition("IMPORT_TOO_OLD", f"What its rows did was kept {why}.", told)
        self.state = ImportState.REVERTING
        self.reverter, self.revert_id = reverter, revert_id
        return True

    def taken_back(self, reverted: int, kept: int, now: datetime, *, last: bool) -> None:
        """Count rows whose effects were taken back, and those whose stay; the last ends it."""
        self.reverted_count += reverted
        self.kept_count += kept
        if last:
            self.state = ImportState.REVERTED
            self.revert_time = now

    def _count_anew(self) -> None:
        """Forget what would have been, of a job that was looked at."""
        if self.is_preview:
            self.created_count = self.matched_count = self.changed_count = self.renamed_count = 0
            self.skipped_count, self.refused_count = 0, self.rejected_count

    def _count(self, outcomes: Outcomes) -> None:
        self.created_count += outcomes.created
        self.matched_count += outcomes.matched
        self.changed_count += outcomes.changed
        self.renamed_count += outcomes.renamed
        self.skipped_count += outcomes.skipped
        self.refused_count += outcomes.refused

    def _require(self, purpose: str, *states: ImportState) -> None:
        if self.state not in states:
            told = f"Only an import that is {' or '.join(states)} can {purpose}; this one is {self.state}."
            raise FailedPrecondition("IMPORT_NOT_OPEN", told, {"resource": self.name, "state": self.state})


COMMITTED = (ImportState.COMMITTING, ImportState.DONE, ImportState.REVERTING, ImportState.REVERTED)
WAITING = (ImportState.OPEN, ImportState.PREVIEWING, ImportState.PREVIEWED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know of one row. Never holds the value. `position` orders those of one line.

    `applied` says that the row took effect all the same; `preview` that it only would have.
    """

    job_id: UUID
    line: int
    position: int
    field: str
    reason: str
    description: str
    applied: bool = False
    preview: bool = False
