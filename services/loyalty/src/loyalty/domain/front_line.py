"""What cases told of what people may grant alone, and of how much a case harms its customer."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
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
    currency_code: str = ""  # of money, whose amounts are in its smallest unit


@dataclass(slots=True)
class FrontLinePolicy:
    """The limits of goodwill, of one act of it, for a department's people, as cases told them last."""

    id: str
    version: int
    department_id: str
    disabled: bool
    update_time: datetime
    limits: list[Limit]
    act: str

    name = AUTHORITY_POLICY.named("id")

    def only_in(self, currency_code: str) -> Self:
        """Itself without limits in another currency: no rate says what those would be."""
        return replace(self, limits=[each for each in self.limits if each.currency_code == currency_code])


@dataclass(frozen=True, slots=True)
class CaseHarm:
    """What cases told last of how much a case harms its customer."""

    case_id: UUID
    harm: Harm
    version: int
