"""An agent: an employee whom customers can be told to turn to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.domain.facts import AgentUpdated
from cases.domain.lane import Abilities, spoken
from cases.names import AGENT, DEPARTMENT, TEAM
from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import changed, fact_of


@dataclass(slots=True)
class Agent:
    """An entry of the directory. A customer must be able to reach the agent: by phone, by e-mail, or both."""

    id: str
    create_time: datetime
    update_time: datetime
    display_name: str = ""
    phone: str = ""
    email: str = ""
    department_id: str = ""
    inactive: bool = False
    team_ids: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)  # beside those of their teams
    language_codes: list[str] = field(default_factory=list)  # that they speak; none: any
    capacity: int = 0  # how much they are given until some of it is over; 0: as much as they ask for
    version: int = 1

    name = AGENT.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def teams(self) -> list[str]:
        """The names of their teams."""
        return [TEAM.format(each) for each in self.team_ids]

    def abilities(self, of_teams: Iterable[str] = ()) -> Abilities:
        """What they can do, with what all of their teams can."""
        return Abilities(
            frozenset(self.team_ids),
            frozenset((*self.skills, *of_teams)),
            frozenset(map(spoken, self.language_codes)),
        )

    def update(self, changes: Mapping[str, Any]) -> AgentUpdated | None:
        """Take over `changes`. Nothing when it is so already."""
        before = self.department
        fields = ["teams" if each == "team_ids" else each for each in changed(self, changes)]
        told = {"updated_fields": fields, "previous_department": before}
        return fact_of(AgentUpdated, self, **told) if fields else None

    def require_active(self) -> None:
        """Refuse to make an agent accountable who serves customers no more (`AGENT_INACTIVE`)."""
        if self.inactive:
            told = f"{self.name} is inactive: name an active agent."
            raise FailedPrecondition("AGENT_INACTIVE", told, {"resource": self.name})

    def require_complete(self) -> None:
        """Refuse an agent whom customers could not turn to, with everything that is missing."""
        missing = [
            Violation(field, "REQUIRED", description)
            for field, present, description in (
                ("agent.display_name", self.display_name.strip(), "must be given"),
                ("agent.department", self.department_id, "must be given"),
                ("agent.phone", self.phone.strip() or self.email.strip(), "must be given, or an e-mail"),
            )
            if not present
        ]
        if missing:
            raise InvalidArgument(missing)
