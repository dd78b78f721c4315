"""An amount in another currency is exact until it is rounded, once, half to even, in that one's decimals."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.rates import ExchangeRate

AT = datetime(2026, 3, 1, tzinfo=UTC)
DECIMALS = {"JPY": 0, "EUR": 2, "KWD": 3}


def rate(base: str, quote: str, value: Decimal) -> ExchangeRate:
    return ExchangeRate.of(base, quote, value, date(2026, 3, 1), "ecb", AT)


@given(
    st.decimals(-(10**15), 10**15, places=3),
    st.decimals("0.000000001", 10**9, places=9),
    st.sampled_from(sorted(DECIMALS)),
    st.booleans(),
)
def test_an_amount_is_rounded_once(amount: Decimal, value: Decimal, to: str, is_inverse: bool) -> None:
    by = rate(to, "USD", value) if is_inverse else rate("USD", to, value)
    exact = Fraction(amount) / Fraction(value) if is_inverse else Fraction(amount) * Fraction(value)
    unit = Fraction(1, 10 ** DECIMALS[to])
    assert Fraction(by.converted(amount, to)) == round(exact / unit) * unit


@pytest.mark.parametrize(("amount", "worth"), [("0.01", "0.00"), ("0.03", "0.02"), ("-0.03", "-0.02")])
def test_half_a_cent_goes_to_the_even_one(amount: str, worth: str) -> None:
    assert rate("USD", "EUR", Decimal("0.5")).converted(Decimal(amount), "EUR") == Decimal(worth)


def test_a_rate_is_called_by_its_pair_and_day() -> None:
    assert rate("EUR", "USD", Decimal(1)).name == "exchangeRates/eur-usd-2026-03-01"
