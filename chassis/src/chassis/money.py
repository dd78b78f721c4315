"""An amount of money, as domains count it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in a currency, readable as `google.type.Money`."""

    amount: Decimal
    currency_code: str

    @property
    def units(self) -> int:
        """The whole units."""
        return int(self.amount)

    @property
    def nanos(self) -> int:
        """The rest, in billionths of a unit."""
        return int((self.amount - self.units) * 10**9)
