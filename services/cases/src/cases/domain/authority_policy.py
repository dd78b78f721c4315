"""What a department's people may do for a customer alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from cases.domain.facts import AuthorityPolicyUpdated
from cases.domain.priority import Band, Harm
from cases.names import AUTHORITY_POLICY, DEPARTMENT
from chassis.authority import Authority
from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import changed, fact_of
from chassis.money import Currency


class AuthorityAct(StrEnum):
    """What is done for a customer within somebody's authority."""

    GOODWILL = "GOODWILL"
    EXTENSION = "EXTENSION"
    REFUND = "REFUND"
    REPLACEMENT = "REPLACEMENT"


UNITS = {
    AuthorityAct.GOODWILL: "points",
    AuthorityAct.EXTENSION: "days",
    AuthorityAct.REFUND: "money",
    AuthorityAct.REPLACEMENT: "money",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """How much, for whom, by whom: see `chassis.authority`. What is not of its policy's act is 0."""

    permission: str
    least_band: Band | None
    least_harm: Harm | None
    points: int = 0
    rolling_day_points: int = 0
    days: int = 0
    rolling_day_days: int = 0
    money: Decimal | None = None
    money_currency: str = ""
    rolling_day_money: Decimal | None = None
    rolling_day_money_currency: str = ""

    @property
    def amount(self) -> int:
        """The most of one act; of money in the currency's smallest unit."""
        return self.points or self.days or self._smallest(self.money)

    @property
    def rolling_day_amount(self) -> int:
        """The most within any 24 hours, 0 for any."""
        return self.rolling_day_points or self.rolling_day_days or self._smallest(self.rolling_day_money)

    def _smallest(self, money: Decimal | None) -> int:
        return Currency.of(self.money_currency).smallest(money) if money and self.money_currency else 0

    def violations(self, act: AuthorityAct, path: str) -> list[Violation]:
        """What is wrong of it in a policy of that act."""
        unit = UNITS[act]
        found = [
            Violation(
                f"{path}.{field}",
                "INVALID_NUMBER",
                f"must be left out: {unit} are what the act is counted in",
            )
            for other in dict.fromkeys(UNITS.values())
            for field in (other, f"rolling_day_{other}")
            if other != unit and getattr(self, field)
        ]
        if not getattr(self, unit):
            least = "above 0" if unit == "money" else "at least 1"
            found.append(Violation(f"{path}.{unit}", "REQUIRED", f"must be {least}"))
        if self.rolling_day_money and self.rolling_day_money_currency != self.money_currency:
            told = "must be that of money"
            found.append(Violation(f"{path}.rolling_day_money.currency_code", "INVALID_CURRENCY", told))
        if 0 < self.rolling_day_amount < self.amount:
            told = f"must be 0 or at least {unit}"
            found.append(Violation(f"{path}.rolling_day_{unit}", "INVALID_NUMBER", told))
        return found


@dataclass(slots=True)
class AuthorityPolicy:
    """The limits of one act. Every change is a new version, a row of its own."""

    id: str
    version: int
    display_name: str
    department_id: str
    act: AuthorityAct
    disabled: bool
    create_time: datetime
    update_time: datetime
    limits: list[Limit]

    name = AUTHORITY_POLICY.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def currency_code(self) -> str:
        """Of limits in money; else empty."""
        return self.limits[0].money_currency if self.limits else ""

    def require_limits(self) -> None:
        """Refuse limits that are not of its act: InvalidArgument with all that is wrong."""
        path = "authority_policy.limits[{}]".format
        limits = list(enumerate(self.limits))
        wrong = [each for i, limit in limits for each in limit.violations(self.act, path(i))]
        wrong += [
            Violation(f"{path(i)}.money.currency_code", "INVALID_CURRENCY", "must be that of the others")
            for i, limit in limits
            if limit.money and limit.money_currency != self.currency_code
        ]
        if wrong:
            raise InvalidArgument(wrong)

    def update(self, changes: Mapping[str, Any]) -> AuthorityPolicyUpdated | None:
        """Take over `changes`, as the next version. Nothing when it is so already. As `require_limits`."""
        fields = changed(self, changes)
        self.require_limits()
        return fact_of(AuthorityPolicyUpdated, self, updated_fields=fields) if fields else None


def in_unit(act: AuthorityAct, field: str, amount: int, currency: str) -> dict[str, Any]:
    """An amount as it is kept, as the field of the act's unit: `field` with `{}` for that."""
    name = field.format(UNITS[act])
    if UNITS[act] != "money":
        return {name: amount}
    return {name: Currency.of(currency).amount(amount), f"{name}_currency": currency} if currency else {}


@dataclass(frozen=True, slots=True)
class AuthorityUse:
    """What somebody did alone of an act, for their budget of 24 hours."""

    id: UUID  # of what was done: the grant, or the promise that was put off
    act: AuthorityAct
    agent: str
    amount: int
    use_time: datetime


def require_within(may: Authority[AuthorityPolicy], amount: int, used: int) -> None:
    """Refuse more of an act than somebody may do alone, who did so much of it within 24 hours.

    FailedPrecondition `OVER_AUTHORITY`, `OVER_BUDGET`; nothing without a policy.
    """
    if may.policy is None:
        return
    unit = UNITS[may.policy.act]
    by = {"resource": may.policy.name, "policy_version": may.policy.version, "unit": unit}
    if amount > may.amount:
        told = f"{may.policy.name} allows at most {may.amount} {unit} at once, and this is {amount}."
        raise FailedPrecondition("OVER_AUTHORITY", told, by | {"limit": may.amount, "amount": amount})
    if amount > (left := may.left(used)):
        told = f"{may.policy.name} allows {may.rolling_day_amount} {unit} in 24 hours; {left} are left."
        budget = {"budget": may.rolling_day_amount, "left": left}
        raise FailedPrecondition("OVER_BUDGET", told, by | budget)
