"""What customers are to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition, invalid
from chassis.facts import changed
from customer.names import CUSTOMER, RELATIONSHIP

SUBSIDIARY = "subsidiary-of"  # the kind of which there is no circle


@dataclass(slots=True)
class Relationship:
    """What a customer is to another. It holds while it has no `end_time`."""

    id: UUID
    customer_id: UUID
    related_customer_id: UUID
    kind: str
    role: str
    start_time: datetime | None
    end_time: datetime | None
    create_time: datetime
    update_time: datetime
    version: int

    name = RELATIONSHIP.named("id")
    customer = CUSTOMER.named("customer_id")
    related_customer = CUSTOMER.named("related_customer_id")

    def check_times(self) -> None:
        """InvalidArgument INVALID_TIME for an end before the start."""
        if self.start_time and self.end_time and self.end_time < self.start_time:
            raise invalid("relationship.end_time", "INVALID_TIME", "must not be before start_time")

    def change(self, changes: Mapping[str, object]) -> list[str]:
        """Take over changes, as the next version if any is new; returns which are.

        FailedPrecondition RELATIONSHIP_ENDED to take an end away: another of the kind may hold by now.
        """
        if self.end_time and changes.get("end_time", self.end_time) is None:
            told = f"{self.name} has ended: note a new relationship if it holds again."
            raise FailedPrecondition("RELATIONSHIP_ENDED", told, {"resource": self.name})
        fields = changed(self, changes)
        self.check_times()
        return fields


def same_customer(customer_id: UUID) -> FailedPrecondition:
    """The refusal to relate somebody to themselves."""
    name = CUSTOMER.format(customer_id)
    told = f"related_customer must be another customer than {name}."
    return FailedPrecondition("SAME_CUSTOMER", told, {"resource": name})


def circle(customer_id: UUID, related_customer_id: UUID) -> FailedPrecondition:
    """The refusal of a parent company that is a subsidiary of the same, however far down."""
    name, parent = CUSTOMER.format(customer_id), CUSTOMER.format(related_customer_id)
    told = f"{parent} belongs to {name} by its own parent companies: end one of these relationships first."
    return FailedPrecondition("RELATIONSHIP_CIRCLE", told, {"resource": parent, "customer": name})


def exists(name: str) -> AlreadyExists:
    """The refusal of what is noted already, and holds."""
    told = f"{name} says so already, and holds: change that one."
    return AlreadyExists("RELATIONSHIP_EXISTS", told, {"resource": name})
