"""Programs, what they count, and who is in them."""

from dataclasses import dataclass
from datetime import datetime
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
    lot_policy: LotPolicy | None = None  # None: what is earned is usable at once and never ends

    name = UNIT.named("program_id", "id")


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
