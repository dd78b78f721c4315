"""What cases told of what people may grant alone, and of how much a case harms its customer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from loyalty.domain.value import Band
from loyalty.names import AUTHORITY_POLICY


class Harm(StrEnum):
    """What a concern does to the customer, least first."""

    NONE = "NONE"
    INCONVENIENCE = "INCONVENIENCE"
    LOSS = "LOSS"
    SEVERE = "SEVERE"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much may be granted, to whom, by whom: see `chassis.authority`."""

    permission: str
    least_band: Band | None
    least_harm: Harm | None
    amount: int
    rolling_day_amount: int


@dataclass(slots=True)
class FrontLinePolicy:
    """The limits of goodwill for a department's people, as cases told them last.

    The lists are its limits, a column for each of their fields; empty where a limit does not say it.
    """

    id: str
    version: int
    department_id: str
    disabled: bool
    update_time: datetime
    permissions: list[str]
    least_bands: list[str]
    least_harms: list[str]
    amounts: list[int]
    rolling_day_amounts: list[int]

    name = AUTHORITY_POLICY.named("id")

    @property
    def limits(self) -> list[Limit]:
        """The limits. One for a band or a harm that only a later release knows holds for nobody."""
        columns = self.permissions, self.least_bands, self.least_harms, self.amounts, self.rolling_day_amounts
        return [
            Limit(
                permission,
                Band(band) if band else None,
                Harm(harm) if harm else None,
                amount,
                rolling_day_amount,
            )
            for permission, band, harm, amount, rolling_day_amount in zip(*columns, strict=True)
            if band in ("", *Band) and harm in ("", *Harm)
        ]


@dataclass(frozen=True, slots=True)
class CaseHarm:
    """What cases told last of how much a case harms its customer."""

    case_id: UUID
    harm: Harm
    version: int
