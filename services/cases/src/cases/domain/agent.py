"""An agent: an employee whom customers can be told to turn to."""

from dataclasses import dataclass

from chassis.errors import InvalidArgument, Violation


@dataclass(slots=True)
class Agent:
    """An entry of the directory. A customer must be able to reach the agent: by phone, by e-mail, or both."""

    id: str
    display_name: str
    phone: str
    email: str
    department_id: str

    @property
    def name(self) -> str:
        """`agents/{agent}`."""
        return f"agents/{self.id}"

    @property
    def department(self) -> str:
        """`departments/{department}`."""
        return f"departments/{self.department_id}"

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
