"""Amounts of money, as domains count them, and the currencies that ISO 4217 lists or listed."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import iso4217

# Withdrawn since 1999, without decimals and with two: what was paid then stays true, and the table of ISO
# 4217 has only what is in use.
_WHOLE = "BEF BYB BYR ESP GRD ITL LUF MGF PTE TRL"
_IN_HUNDREDTHS = (
    "AFA ANG ATS AZM BGL BGN CSD CUC CYP DEM EEK FIM FRF GHC HRK IEP LTL LVL MRO MTL MZM NLG ROL SDD SIT SKK"
    " SLL SRG STD TMM VEB VEF YUM ZMK ZWD ZWL"
)
_WITHDRAWN = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_IN_HUNDREDTHS.split(), 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in a currency, readable as `google.type.Money`."""

    amount: Decimal
    currency_code: str

    @property
    def units(self) -> int:
        return int(self.amount)

    @property
    def nanos(self) -> int:
        """The rest, in billionths of a unit."""
        return int((self.amount - self.units) * 10**9)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency one can pay in, or could, with the decimals of its amounts: 2 of EUR, 0 of JPY, 3 of KWD."""

    code: str
    decimals: int

    @classmethod
    def of(cls, code: str) -> Self:
        """The currency with that code. ValueError when ISO 4217 has none, or counts nothing in it (`XAU`)."""
        try:
            decimals = iso4217.Currency(code).exponent
        except ValueError:
            decimals = _WITHDRAWN.get(code)
        if decimals is None:
            raise ValueError("must be the ISO 4217 code of a currency, for example EUR")
        return cls(code, decimals)

    def smallest(self, amount: Decimal) -> int:
        """An amount counted in the currency's smallest unit: cents, yen, fils."""
        return int(amount.scaleb(self.decimals))

    def amount(self, smallest: int) -> Decimal:
        """The amount that so many of the smallest unit are."""
        return Decimal(smallest).scaleb(-self.decimals)
