"""That customers want nothing but what they have of us."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.names import acted
from customer.names import CUSTOMER, PREFERENCES


@dataclass(slots=True)
class ContactStop:
    """That a customer wanted nothing but what they have of us: every other purpose of then and later."""

    customer_id: UUID
    stop_time: datetime
    actor: str  # who noted it
    source: str = ""  # where they said it
    proof: str = ""  # a reference to what proves it
    suppressed: list[str] = field(default_factory=list)  # what stops alone suppress: see `suppresses`
    withdraw_time: datetime | None = None

    name = PREFERENCES.named("customer_id")
    customer = CUSTOMER.named("customer_id")

    @property
    def effective_time(self) -> datetime:
        """From when it holds."""
        return self.stop_time

    @property
    def noter(self) -> str:
        """Who noted it, as contracts name them; empty of what was noted before that was kept."""
        return acted(self.actor) if self.actor else ""

    def suppresses(self, identifier_id: UUID, category: str) -> bool:
        """Whether an address is suppressed for a category by it, and by nobody's own word."""
        return suppressed_by(identifier_id, category) in self.suppressed

    def repeats(self, stop: "ContactStop") -> bool:
        """Whether that, which stands, is said once more by it."""
        return (stop.actor, stop.source, stop.proof) == (self.actor, self.source, self.proof)


def suppressed_by(identifier_id: UUID, category: str) -> str:
    """What a stop keeps of an address that it suppresses."""
    return f"{identifier_id}/{category}"
