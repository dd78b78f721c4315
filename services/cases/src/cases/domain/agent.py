"""An agent: an employee whom customers can be told to turn to."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from cases.domain.facts import AgentUpdated
from cases.names import AGENT, DEPARTMENT
from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import changed, fact_of


class AgentFields(TypedDict, total=False):
    """What people say of an agent."""

    display_name: str
    phone: str
    email: str
    department_id: str
    inactive: bool


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
    version: int = 1

    name = AGENT.named("id")
    department = DEPARTMENT.named("department_id")

    def update(self, changes: AgentFields) -> AgentUpdated | None:
        """Take over `changes`. Nothing when it is so already."""
        before = self.department
        fields = changed(self, changes)
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
