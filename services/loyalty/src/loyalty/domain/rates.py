"""What currencies are worth in others: by supplied rates alone, of the newest day, in either direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple, Self

from chassis.money import Currency, Money
from loyalty.names import EXCHANGE_RATE

# Enough that what is rounded in the end is the exact amount: of 15 digits, by rates of 19, with all decimals.
_PRECISION = 60


@dataclass(slots=True)
class ExchangeRate:
    """One unit of the base currency is so much of the quote currency, from a day on until a later one's."""

    id: str
    base_currency: str
    quote_currency: str
    rate: Decimal
    rate_date: date
    source: str
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = EXCHANGE_RATE.named("id")

    @classmethod
    def of(
        cls, base_currency: str, quote_currency: str, rate: Decimal, day: date, source: str, at: datetime
    ) -> Self:
        """One that is new, called by its pair and day."""
        called = f"{base_currency}-{quote_currency}-{day}".lower()
        return cls(called, base_currency, quote_currency, rate, day, source, at, at)

    def converted(self, amount: Decimal, to: str) -> Decimal:
        """An amount of one of its currencies in the other, `to`, rounded half to even."""
        with localcontext(prec=_PRECISION):
            exact = amount * self.rate if to == self.quote_currency else amount / self.rate
            return exact.quantize(Decimal(1).scaleb(-Currency.of(to).decimals), ROUND_HALF_EVEN)


Rates = Mapping[str, ExchangeRate]
"""By currency, the rate between it and the installation's."""


class Conversion(NamedTuple):
    """What was paid in a currency, in that of the installation; None without a rate."""

    amount: Money
    converted_amount: Money | None
    exchange_rate: str
    rate: Decimal | None
    rate_date: date | None

    @classmethod
    def of(cls, amount: Money, to: str, by: ExchangeRate | None) -> Self:
        if by is None:
            return cls(amount, None, "", None, None)
        return cls(amount, Money(by.converted(amount.amount, to), to), by.name, by.rate, by.rate_date)

    @property
    def told(self) -> str:
        """In words."""
        paid = f"{self.amount.amount:f} {self.amount.currency_code}"
        if self.converted_amount is None:
            return f"{paid} has no rate and counts for nothing"
        worth = f"{self.converted_amount.amount:f} {self.converted_amount.currency_code}"
        return f"{paid} is {worth} by {self.exchange_rate} ({self.rate:f})"
