"""What is given back of a line, in whichever parts, is in the end what was paid for it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.purchase_lines import Line, exceeds, given_back, left_of, take

CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])
DECIMALS = {"JPY": 0, "EUR": 2, "KWD": 3}


@given(CURRENCIES, st.integers(-10_000, 10_000), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_parts_of_a_line_add_up_to_what_was_paid(currency: str, paid: int, parts: list[int]) -> None:
    unit = Decimal(1).scaleb(-DECIMALS[currency])
    bought = [Line("sku", Decimal(sum(parts)), paid * unit, tax=(paid // 5 if paid > 0 else 0) * unit)]
    left = left_of(bought)
    for part in parts:
        [back] = given_back(bought, left, {1: Decimal(part)}, currency)
        assert not exceeds(back, left[1])
        assert back.paid == back.paid.quantize(unit)
        assert abs(-back.paid - bought[0].paid * part / sum(parts)) <= unit * len(parts)
        take(left, back)
    assert (left[1].quantity, left[1].paid, left[1].tax) == (0, 0, 0)


def test_half_a_cent_goes_to_the_even_one_and_the_rest_to_the_last() -> None:
    bought = [Line("sku", Decimal(2), Decimal("0.25"))]
    left = left_of(bought)
    for paid in ("-0.12", "-0.13"):
        [back] = given_back(bought, left, {1: Decimal(1)}, "EUR")
        assert back.paid == Decimal(paid)
        take(left, back)


def test_what_gives_back_cannot_be_given_back() -> None:
    assert left_of([Line("sku", Decimal(-1), Decimal(-4), returned_line=1)]) == {}
