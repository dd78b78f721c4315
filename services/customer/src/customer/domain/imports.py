"""Import jobs: rows go in, it may be looked at what they would do, then they are applied."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
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
    `rejected_count` are the rows that were refused as they came; `previewed_line` is how far was looked.
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

    name = IMPORT_JOB.named("id")
    department = DEPARTMENT.named("department_id")

    def receive(self, last_line: int, accepted: int, rejected: int) -> None:
        """Count rows that came in."""
        self._require("take rows", ImportState.OPEN)
        self.row_count += accepted + rejected
        self.refused_count += rejected
        self.rejected_count += rejected
        self.last_line = max(self.last_line, last_line)

    def preview(self, importer: str, call_id: UUID) -> bool:
        """Begin to look what the rows would do; False when that was asked for before."""
        if self.state in (ImportState.PREVIEWING, ImportState.PREVIEWED):
            return False
        self._require("be previewed", ImportState.OPEN)
        self.state = ImportState.PREVIEWING
        self.importer, self.commit_id = importer, call_id
        return True

    def commit(self, importer: str, commit_id: UUID) -> bool:
        """Begin to apply the rows, counting anew; False when that was asked for before."""
        if self.state in (ImportState.COMMITTING, ImportState.DONE):
            return False
        self._require("be committed", ImportState.OPEN, ImportState.PREVIEWED)
        if self.state == ImportState.PREVIEWED:
            self.created_count = self.matched_count = self.changed_count = self.renamed_count = 0
            self.skipped_count, self.refused_count = 0, self.rejected_count
        self.state = ImportState.COMMITTING
        self.importer, self.commit_id = importer, commit_id
        return True

    def cancel(self, now: datetime) -> bool:
        """Give up; False when that was asked for before."""
        if self.state == ImportState.CANCELLED:
            return False
        self._require("be cancelled", *WAITING)
        self.state = ImportState.CANCELLED
        self.end_time = now
        return True

    def looked_at(self, outcomes: Outcomes, line: int, *, last: bool) -> None:
        """Count rows that would take effect, up to a line."""
        self._count(outcomes)
        self.previewed_line = line
        if last:
            self.state = ImportState.PREVIEWED

    def applied(self, outcomes: Outcomes, now: datetime, *, last: bool) -> None:
        """Count rows that took effect, and the others; the last ends the job."""
        self._count(outcomes)
        if last:
            self.state = ImportState.DONE
            self.end_time = now

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


class Outcome(StrEnum):
    """What became of a row that was not refused."""

    CREATED = "CREATED"
    KNOWN = "KNOWN"
    CHANGED = "CHANGED"
    SKIPPED = "SKIPPED"


@dataclass(slots=True)
class FieldChange:
    """A field of a profile, as a row changed it; `path` is as the contract calls it.

    `said` is where it came from before, as `customer.domain.provenance` keeps it; empty when nobody knows.
    """

    name: str
    path: str
    before: str
    after: str
    overwrites: bool
    said: list[str]


@dataclass(slots=True)
class Added:
    """An identifier that a row gave a known customer: which of the row's, counted from 0, and its id here."""

    position: int
    identifier_id: UUID


@dataclass(slots=True)
class Effect:
    """What one row did to a customer, or would do.

    Args:
        created_line: the line of the same job that created the customer; 0 for one who was known.
        matched: by which of the row's identifiers the customer was found, counted from 0; -1 for none.
        observation: what the row said of the profile, as it is kept; empty when it says nothing new.
        version: of the customer, after it.
    """

    job_id: UUID
    line: int
    outcome: Outcome
    customer_id: UUID | None = None
    created_line: int = 0
    matched: int = -1
    changes: list[FieldChange] = field(default_factory=list)
    added: list[Added] = field(default_factory=list)
    observation: str = ""
    version: int = 0
    preview: bool = False


def overwrites(name: str, before: str, after: str) -> bool:
    """Whether something that a field said is not there any more; of addresses, one of them."""
    if name != "addresses" or not before or not after:
        return bool(before and after)
    kept = [_plain(each) for each in json.loads(after)]
    return any(_plain(each) not in kept for each in json.loads(before))


def _plain(address: dict[str, Any]) -> dict[str, Any]:
    return address | {"primary": False}
