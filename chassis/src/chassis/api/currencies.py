"""Currencies, as ISO 4217 lists them."""

from dataclasses import dataclass
from typing import Self

import iso4217


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency one can pay in, and how many decimals its amounts have: 2 for EUR, 0 for JPY, 3 for KWD."""

    code: str
    decimals: int

    @classmethod
    def of(cls, code: str) -> Self:
        """The currency with that code. ValueError when ISO 4217 has none, or counts nothing in it (`XAU`)."""
        try:
            decimals = iso4217.Currency(code).exponent
        except ValueError:
            decimals = None
        if decimals is None:
            raise ValueError("must be the ISO 4217 code of a currency, for example EUR")
        return cls(code, decimals)
