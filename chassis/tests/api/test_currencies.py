import pytest

from chassis.money import Currency


@pytest.mark.parametrize(
    ("code", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("BGN", 2), ("ITL", 0)]
)
def test_a_currency_has_its_own_number_of_decimals(code: str, decimals: int) -> None:
    assert Currency.of(code).decimals == decimals


@pytest.mark.parametrize("code", ["", "eur", "ABC", "XAU", "XXX"])
def test_what_nobody_pays_in_is_no_currency(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Currency.of(code)
