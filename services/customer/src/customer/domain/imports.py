"""Import jobs: rows go in, then they are applied."""

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(slots=True)
class ImportJob:
    """One import of one file.

    Its rows are the doing of `importer`, who committed it with the call that `commit_id` names in the audit,
    however much later they are applied. `system` is whose customers they are; empty when nobody says.
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

    name = IMPORT_JOB.named("id")
    department = DEPARTMENT.named("department_id")

    def receive(self, last_line: int, accepted: int, rejected: int) -> None:
        """Count rows that came in."""
        self._require_open("take rows")
        self.row_count += accepted + rejected
        self.refused_count += rejected
        self.last_line = max(self.last_line, last_line)

    def commit(self, importer: str, commit_id: UUID) -> bool:
        """Begin to apply the rows; False when that was asked for before."""
        if self.state in (ImportState.COMMITTING, ImportState.DONE):
            return False
        self._require_open("be committed")
        self.state = ImportState.COMMITTING
        self.importer, self.commit_id = importer, commit_id
        return True

    def cancel(self, now: datetime) -> bool:
        """Give up; False when that was asked for before."""
        if self.state == ImportState.CANCELLED:
            return False
        self._require_open("be cancelled")
        self.state = ImportState.CANCELLED
        self.end_time = now
        return True

    def applied(
        self, created: int, matched: int, renamed: int, refused: int, now: datetime, *, last: bool
    ) -> None:
        """Count rows that took effect, those of them that renamed, and the others; the last ends the job."""
        self.created_count += created
        self.matched_count += matched
        self.refused_count += refused
        self.renamed_count += renamed
        if last:
            self.state = ImportState.DONE
            self.end_time = now

    def _require_open(self, purpose: str) -> None:
        if self.state != ImportState.OPEN:
            told = f"Only an OPEN import can {purpose}; this one is {self.state}."
            raise FailedPrecondition("IMPORT_NOT_OPEN", told, {"resource": self.name, "state": self.state})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know of one row. Never holds the value. `position` orders those of one line.

    `applied` says that the row took effect all the same.
    """

    job_id: UUID
    line: int
    position: int
    field: str
    reason: str
    description: str
    applied: bool = False
