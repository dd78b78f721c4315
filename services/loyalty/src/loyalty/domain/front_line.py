"""What cases told of what people may grant alone, and of how much a case harms its customer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from loyalty.names import AUTHORITY_POLICY


class Harm(StrEnum):
    """What a concern does to the customer, least first."""

    NONE = "NONE"
    INCONVENIENCE = "INCONVENIENCE"
    LOSS = "LOSS"
    SEVERE = "SEVERE"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much may be granted, to whom, by whom: see `chassis.authority`.

    Empty is for all. A band or a harm that only a later release knows is kept, and reached by nobody yet.
    """

    permission: str
    least_band: str
    least_harm: str
    amount: int
    rolling_day_amount: int


@dataclass(slots=True)
class FrontLinePolicy:
    """The limits of goodwill for a department's people, as cases told them last."""

    id: str
    version: int
    department_id: str
    disabled: bool
    update_time: datetime
    limits: list[Limit]

    name = AUTHORITY_POLICY.named("id")


@dataclass(frozen=True, slots=True)
class CaseHarm:
    """What cases told last of how much a case harms its customer."""

    case_id: UUID
    harm: Harm
    version: int
