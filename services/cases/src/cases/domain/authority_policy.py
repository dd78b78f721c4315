"""What a department's people may do for a customer alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from cases.domain.facts import AuthorityPolicyUpdated
from cases.domain.priority import Band, Harm
from cases.names import AUTHORITY_POLICY, DEPARTMENT
from chassis.facts import changed, fact_of


class AuthorityAct(StrEnum):
    """What is done for a customer within somebody's authority."""

    GOODWILL = "GOODWILL"
    REFUND = "REFUND"
    REPLACEMENT = "REPLACEMENT"
    EXTENSION = "EXTENSION"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much, for whom, by whom: see `chassis.authority`."""

    permission: str
    least_band: Band | None
    least_harm: Harm | None
    amount: int
    day_amount: int


class AuthorityPolicyChanges(TypedDict, total=False):
    """What of a policy can change."""

    display_name: str
    limits: list[Limit]
    disabled: bool


@dataclass(slots=True)
class AuthorityPolicy:
    """The limits of one act. Every change is a new version, a row of its own.

    The lists are its limits, a column for each of their fields; empty where a limit does not say it.
    """

    id: str
    version: int
    display_name: str
    department_id: str
    act: AuthorityAct
    disabled: bool
    create_time: datetime
    update_time: datetime
    permissions: list[str]
    least_bands: list[str]
    least_harms: list[str]
    amounts: list[int]
    day_amounts: list[int]

    name = AUTHORITY_POLICY.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def limits(self) -> list[Limit]:
        columns = self.permissions, self.least_bands, self.least_harms, self.amounts, self.day_amounts
        return [
            Limit(permission, Band(band) if band else None, Harm(harm) if harm else None, amount, day_amount)
            for permission, band, harm, amount, day_amount in zip(*columns, strict=True)
        ]

    @limits.setter
    def limits(self, limits: Sequence[Limit]) -> None:
        self.permissions = [each.permission for each in limits]
        self.least_bands = [each.least_band or "" for each in limits]
        self.least_harms = [each.least_harm or "" for each in limits]
        self.amounts = [each.amount for each in limits]
        self.day_amounts = [each.day_amount for each in limits]

    def update(self, changes: AuthorityPolicyChanges) -> AuthorityPolicyUpdated | None:
        """Take over `changes`, as the next version. Nothing when it is so already."""
        fields = changed(self, changes)
        return fact_of(AuthorityPolicyUpdated, self, updated_fields=fields) if fields else None
