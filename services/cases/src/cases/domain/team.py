"""A team: some of the people of a department, to whom work is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.domain.facts import TeamUpdated
from cases.names import DEPARTMENT, TEAM
from chassis.errors import FailedPrecondition
from chassis.facts import changed, fact_of


@dataclass(slots=True)
class Team:
    """A part of a department. Agents say which teams they are in."""

    id: str
    display_name: str
    department_id: str
    skills: list[str]  # that everybody in it has
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = TEAM.named("id")
    department = DEPARTMENT.named("department_id")

    def update(self, changes: Mapping[str, Any]) -> TeamUpdated | None:
        """Take over `changes`. Nothing when it is so already."""
        fields = changed(self, changes)
        return fact_of(TeamUpdated, self, updated_fields=fields) if fields else None

    def require_of(self, department_id: str) -> None:
        """Refuse the team of another department (`TEAM_MISMATCH`)."""
        if self.department_id != department_id:
            told = f"{self.name} is of {self.department}: name a team of {DEPARTMENT.format(department_id)}."
            raise FailedPrecondition(
                "TEAM_MISMATCH", told, {"resource": self.name, "department": self.department}
            )
