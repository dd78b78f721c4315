"""A department, and what it has to know of work that it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cases.domain.facts import DepartmentUpdated
from cases.names import CALENDAR, DEPARTMENT
from chassis.errors import FailedPrecondition, invalid
from chassis.facts import changed, fact_of


class Format(StrEnum):
    """What the text of a field is."""

    CODE = "CODE"
    REFERENCE = "REFERENCE"
    NUMBER = "NUMBER"
    DATE = "DATE"
    EMAIL = "EMAIL"


@dataclass(frozen=True, slots=True)
class RequiredField:
    """What has to be said of work."""

    field: str
    display_name: str = ""
    format: Format | None = None  # None: text for people


@dataclass(frozen=True, slots=True)
class WorkKind:
    """What has to be said of one kind of work."""

    kind: str
    required_fields: list[RequiredField]


@dataclass(slots=True)
class Department:
    """A department as it describes itself."""

    id: str
    create_time: datetime
    update_time: datetime
    display_name: str = ""
    work_kinds: list[WorkKind] = field(default_factory=list)  # in the order in which it says so
    escalation_path: list[str] = field(default_factory=list)  # of agents, by name
    calendar_id: str | None = None
    escalation_business_minutes: int = 0
    call_scripts: dict[str, str] = field(default_factory=dict)  # what to say, by the reason of a call
    version: int = 1

    name = DEPARTMENT.named("id")
    calendar = CALENDAR.named("calendar_id")
    department = DEPARTMENT.named("id")

    def update(self, changes: Mapping[str, Any]) -> DepartmentUpdated | None:
        """Take over `changes`. Nothing when it is so already."""
        fields = changed(self, changes)
        return fact_of(DepartmentUpdated, self, updated_fields=fields) if fields else None

    def require_complete(self) -> None:
        """Refuse a department without a name for people (REQUIRED)."""
        if not self.display_name:
            raise invalid("department.display_name", "REQUIRED", "must be given")

    def required_of(self, kind: str) -> list[RequiredField]:
        """What it has to know of work of a kind."""
        return [said for each in self.work_kinds if each.kind == kind for said in each.required_fields]

    def require_fields(self, kind: str, fields: dict[str, str]) -> None:
        """Refuse work of which something is missing that it has to know (`FIELDS_MISSING`)."""
        if missing := [
            said.field for said in self.required_of(kind) if not fields.get(said.field, "").strip()
        ]:
            told = f"{self.name} has to know of work of this kind: {', '.join(missing)}."
            raise FailedPrecondition(
                "FIELDS_MISSING", told, {"resource": self.name, "fields": ", ".join(missing)}
            )
