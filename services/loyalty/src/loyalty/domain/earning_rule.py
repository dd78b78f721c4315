"""What members earn, and for what: rules in versions, of which one may be in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import changed, fact_of
from chassis.money import Currency
from loyalty.domain.facts import EarningRuleUpdated
from loyalty.domain.lots import LotPolicy
from loyalty.names import DEPARTMENT, EARNING_RULE, UNIT


class RuleState(StrEnum):
    """Whether a version is in force."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class Basis(StrEnum):
    """What a rule looks at."""

    LINE = "LINE"
    PURCHASE = "PURCHASE"
    EVENT = "EVENT"


class Holder(StrEnum):
    """What a cap is the most of."""

    PURCHASE = "PURCHASE"
    MEMBER = "MEMBER"
    EVERYBODY = "EVERYBODY"


class Period(StrEnum):
    """In which time a cap is the most. Without one, ever."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a rule gives."""

    points: int
    holder: Holder
    period: Period | None = None

    def span(self, day: date) -> str:
        """The name of the time that a day counts to."""
        week = day.isocalendar()
        return {
            None: "",
            Period.DAY: day.isoformat(),
            Period.WEEK: f"{week.year}-W{week.week:02}",
            Period.MONTH: f"{day:%Y-%m}",
            Period.YEAR: f"{day:%Y}",
        }[self.period]


@dataclass(slots=True)
class RuleTerms:
    """What a rule gives, and for what. Without a `lot_policy` that of the unit holds."""

    display_name: str
    unit_id: str
    basis: Basis
    condition: str
    points_per_currency_unit: Decimal | None
    currency_code: str
    fixed_points: int
    multiplier: Decimal | None
    caps: list[Cap]
    start_date: date | None
    end_date: date | None
    position: int
    exclusive_group: str
    event_type: str
    customer_field: str
    lot_policy: LotPolicy | None


@dataclass(slots=True)
class EarningRule(RuleTerms):
    """One version of a rule."""

    id: str
    version: int
    department_id: str
    program_id: str
    state: RuleState
    effective_time: datetime | None
    create_time: datetime
    update_time: datetime

    name = EARNING_RULE.named("id")
    department = DEPARTMENT.named("department_id")
    unit = UNIT.named("program_id", "unit_id")

    def is_on(self, day: date) -> bool:
        """Whether a day is within its campaign."""
        return (self.start_date or day) <= day <= (self.end_date or day)

    def update(self, changes: Mapping[str, Any]) -> EarningRuleUpdated | None:
        """Take over `changes`, as the next version, a draft. Nothing when it is so already."""
        if not (fields := changed(self, changes)):
            return None
        self.state, self.effective_time = RuleState.DRAFT, None
        return fact_of(EarningRuleUpdated, self, updated_fields=fields)

    def become(self, state: RuleState, at: datetime) -> EarningRuleUpdated:
        """Be in force or ended from then on, as a version of its own. FailedPrecondition `RULE_ENDED`."""
        if state is RuleState.ENDED and self.state is RuleState.ENDED:
            told = f"{self.name} has ended by its version {self.version}; a change of it can be activated."
            raise FailedPrecondition("RULE_ENDED", told, {"resource": self.name})
        self.version, self.state, self.effective_time = self.version + 1, state, at
        return fact_of(EarningRuleUpdated, self, updated_fields=["state", "effective_time"])

    def check(self) -> None:
        """InvalidArgument with all that is wrong, but for what only the contracts know."""
        if wrong := [Violation(f"earning_rule.{at}", reason, told) for at, reason, told in self._wrong()]:
            raise InvalidArgument(wrong)
        if self.lot_policy:
            self.lot_policy.check("earning_rule.lot_policy")

    def _wrong(self) -> Iterator[tuple[str, str, str]]:
        rate, times = self.points_per_currency_unit, self.multiplier
        if sum((rate is not None, self.fixed_points > 0, times is not None)) != 1:
            told = "is one of the three that must be given, with multiplier and points_per_currency_unit"
            yield "fixed_points", "INVALID_NUMBER", told
        if rate is not None and rate <= 0:
            yield "points_per_currency_unit", "INVALID_NUMBER", "must be above 0"
        if times is not None and times <= 1:
            yield "multiplier", "INVALID_NUMBER", "must be above 1"
        if (rate is not None) != bool(self.currency_code):
            told = "must be given with points_per_currency_unit, and with nothing else"
            yield "currency_code", "INVALID_CURRENCY", told
        elif self.currency_code and not _is_currency(self.currency_code):
            yield "currency_code", "INVALID_CURRENCY", "must be a currency of ISO 4217"
        if self.start_date and self.end_date and self.end_date < self.start_date:
            yield "end_date", "INVALID_TIME", "must not be before start_date"
        for i, cap in enumerate(self.caps):
            if cap.holder is Holder.PURCHASE and cap.period:
                yield f"caps[{i}].period", "INVALID_ENUM", "must be absent of one purchase"
        if self.basis is not Basis.EVENT:
            if self.event_type or self.customer_field:
                yield "event_type", "INVALID_NAME", "must be absent without BASIS_EVENT"
        elif not self.event_type:
            yield "event_type", "REQUIRED", "must be given with BASIS_EVENT"
        elif rate is not None or times is not None:
            yield "fixed_points", "REQUIRED", "must be given with BASIS_EVENT"


def _is_currency(code: str) -> bool:
    try:
        return Currency.of(code).code == code
    except ValueError:
        return False
