"""Who earns."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.domain.value import Band


@dataclass(frozen=True, slots=True)
class Earner:
    """Who earned in a program, as conditions saw them. Without a time they were no member."""

    program: str
    member: UUID
    join_time: datetime | None
    tier: str
    band: Band
