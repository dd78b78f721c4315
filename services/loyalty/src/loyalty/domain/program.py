"""Programs, and what they count."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from chassis.errors import invalid
from chassis.money import Currency, Money
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


@dataclass(frozen=True, slots=True)
class UnitValue:
    """What units are worth: so much money for so many of them."""

    money: Decimal
    money_currency: str
    unit_count: int

    def check(self, field: str) -> None:
        """InvalidArgument for what is worth nothing."""
        if self.money <= 0:
            raise invalid(f"{field}.money", "INVALID_NUMBER", "must be above 0")

    def of(self, units: int) -> Money:
        """What so many are worth, in whole smallest units of the currency, rounded half to even."""
        currency = Currency.of(self.money_currency)
        smallest = round(Fraction(units * currency.smallest(self.money), self.unit_count))
        return Money(currency.amount(smallest), currency.code)


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
    value: UnitValue | None = None  # None: nothing is said of what it is worth

    name = UNIT.named("program_id", "id")
