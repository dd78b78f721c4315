"""An agent: an employee whom customers can be told to turn to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.domain.facts import AgentUpdated
from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import fact_of

# The fields that can be changed, and where an agent has them.
FIELDS = {
    "display_name": "display_name",
    "phone": "phone",
    "email": "email",
    "department": "department_id",
    "inactive": "inactive",
}


@dataclass(slots=True)
class Agent:
    """An entry of the directory. A customer must be able to reach the agent: by phone, by e-mail, or both."""

    id: str
    display_name: str
    phone: str
    email: str
    department_id: str
    inactive: bool
    create_time: datetime
    update_time: datetime
    version: int = 1

    @property
    def name(self) -> str:
        """`agents/{agent}`."""
        return f"agents/{self.id}"

    @property
    def department(self) -> str:
        """`departments/{department}`."""
        return f"departments/{self.department_id}"

    def created(self) -> AgentUpdated:
        """The fact that there is such an agent."""
        return fact_of(AgentUpdated, self, updated_fields=list(FIELDS))

    def update(self, given: "Agent", paths: Sequence[str], now: datetime) -> AgentUpdated | None:
        """Take the fields at `paths` from `given`. Nothing when they are so already."""
        changed = [path for path in paths if getattr(self, path) != getattr(given, path)]
        if not changed:
            return None
        for path in changed:
            setattr(self, FIELDS[path], getattr(given, FIELDS[path]))
        self.update_time = now
        self.version += 1
        return fact_of(AgentUpdated, self, updated_fields=changed)

    def require_active(self) -> None:
        """Refuse to have an agent own what is new who serves customers no more (`AGENT_INACTIVE`)."""
        if self.inactive:
            raise FailedPrecondition(
                "AGENT_INACTIVE", f"{self.name} is inactive: name an active agent.", {"agent": self.name}
            )

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
