"""Programs, and what they count."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.domain.lots import LotPolicy
from loyalty.domain.tiers import TierPolicy
from loyalty.names import PROGRAM, UNIT


@dataclass(slots=True)
class Program:
    """A loyalty program."""

    id: str
    display_name: str
    version: int
    create_time: datetime
    update_time: datetime
    time_zone: str = "UTC"  # whose midnight ends a day
    tier_policy: TierPolicy | None = None  # None: nobody gets a tier
    expiry_notice_days: int = 0  # before points end that is told; 0: never

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
