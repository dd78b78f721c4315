"""Programs, what they count, and who is in them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.domain.lots import LotPolicy
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAM, UNIT


@dataclass(slots=True)
class Program:
    """A loyalty program."""

    id: str
    display_name: str
    version: int
    create_time: datetime
    update_time: datetime
    time_zone: str = "UTC"  # whose midnight ends a day

    name = PROGRAM.named("id")


@dataclass(slots=True)
class Unit:
    """What a program counts, whole ones."""

    program_id: str
    id: str
    display_name: str
    version: int
    create_time: datetime
    update_time: datetime
    lots: dict[str, Any] = field(default_factory=dict)  # the policy

    name = UNIT.named("program_id", "id")

    @property
    def lot_policy(self) -> LotPolicy | None:
        """What becomes of what is earned; None, when it is usable at once and never ends."""
        return LotPolicy.of(self.lots)

    @lot_policy.setter
    def lot_policy(self, policy: LotPolicy | None) -> None:
        self.lots = policy.kept() if policy else {}


@dataclass(slots=True)
class Membership:
    """A place in a program that a customer holds; one of each customer and program."""

    id: UUID
    program_id: str
    customer_id: UUID
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = MEMBERSHIP.named("program_id", "id")
    program = PROGRAM.named("program_id")
    customer = CUSTOMER.named("customer_id")
