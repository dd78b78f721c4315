"""An agent: an employee whom customers can be told to turn to."""

from dataclasses import dataclass

from chassis.errors import invalid


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

    def require_reachable(self) -> None:
        """Refuse an agent without phone and e-mail."""
        if not (self.phone or self.email):
            raise invalid(
                "agent", "REQUIRED", "must have a phone or an e-mail: customers must reach the agent"
            )
