"""Amounts as people write them, and what decides what a separator means."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Currency
from rapport_imports.amounts import Separator, means, written
from rapport_imports.decoding import UnreadableFile


def read(*cells: str, delimiter: str = ",", decimals: int = 2, chosen: str = "") -> list[Decimal | None]:
    """What a column of cells means."""
    separator = Separator(delimiter, Currency.of({0: "JPY", 2: "EUR", 3: "KWD"}[decimals]))
    for line, cell in enumerate(cells, start=2):
        separator.add(line, cell)
    decimal = chosen or separator.decided()
    found = [written(cell) for cell in cells]
    return [amount.value(decimal or amount.decimal or ".") if amount else None for amount in found]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("11.77", "11.77"),
        ("0", "0"),
        ("5", "5"),
        (".50", "0.50"),
        ("12.5000", "12.5"),
        ("1,234.50", "1234.50"),
        ("1.234,56 EUR", "1234.56"),
        ("99,00", "99"),
        ("$1,234.56", "1234.56"),
        ("€ 12,50", "12.50"),
        ("Fr. 12.50", "12.50"),
        ("12,50 kr.", "12.50"),
        ("1'234.50", "1234.50"),
        ("1\u202f234,50 €", "1234.50"),
        ("12,34,567.80", "1234567.80"),
        ("1.234.567", "1234567"),
        ("-100.00", "-100"),
        ("\u2212100,00", "-100"),
        ("(12.00)", "-12"),
        ("12.00-", "-12"),
        ("-$12.00", "-12"),
        ("$-12.00", "-12"),
        ("0.125", "0.125"),
        ("1234.567", "1234.567"),
    ],
)
def test_an_amount_that_shows_its_decimals_means_one_thing(cell: str, amount: str) -> None:
    assert read(cell) == [Decimal(amount)]


@pytest.mark.parametrize(
    "cell",
    [
        "ten",
        "1e40",
        "NaN",
        "Infinity",
        "1,23,45.6.7",
        "12,34.5",
        "--1",
        "(-1)",
        "1 EUR 2",
        "1..5",
        "",
        "12..",
        "9" * 16,
    ],
)
def test_what_is_no_amount_is_none(cell: str) -> None:
    assert read(cell) == [None]


def test_one_row_that_shows_it_decides_for_the_whole_column() -> None:
    assert read("12.500", "1.000", "1.234,50") == [Decimal(12500), Decimal(1000), Decimal("1234.50")]
    assert read("12.500", "1.00") == [Decimal("12.5"), Decimal(1)]
    assert read("12,500", "7.25") == [Decimal(12500), Decimal("7.25")]


def test_a_file_of_semicolons_groups_by_dots() -> None:
    assert read("12.500", "1.000", delimiter=";") == [Decimal(12500), Decimal(1000)]


def test_a_currency_without_decimals_only_groups() -> None:
    assert read("12.500", decimals=0) == read("12,500", decimals=0) == [Decimal(12500)]


def test_amounts_that_each_show_it_may_be_written_in_two_ways() -> None:
    assert read("1.234,50", "99.90") == [Decimal("1234.50"), Decimal("99.90")]


@pytest.mark.parametrize(
    "cells", [["12.500"], ["1,000", "5"], ["12.500", "1,5", "1.5"], ["12.500", "12,500"]]
)
def test_what_stays_ambiguous_is_asked_for_by_the_name_of_the_option(cells: list[str]) -> None:
    with pytest.raises(UnreadableFile, match=r"on line 2 .* --decimal \. or --decimal ,"):
        read(*cells)
    assert read(cells[0], chosen=",") == [written(cells[0]).value(",")]  # type: ignore[union-attr]  # it is one


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@given(st.lists(AMOUNTS, min_size=1), st.sampled_from(".,"), st.booleans())
def test_a_column_written_in_one_way_is_read_as_it_was_meant(
    amounts: list[Decimal], decimal: str, grouped: bool
) -> None:
    table = str.maketrans(",.", ".,") if decimal == "," else {}
    cells = [f"{amount:,.2f}" if grouped else f"{amount:.2f}" for amount in amounts]
    assert read(*(cell.translate(table) for cell in cells)) == amounts


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_whole_numbers_are_read_or_asked_for_and_never_a_thousand_times_off(numbers: list[int]) -> None:
    try:
        assert read(*(f"{number:,}".replace(",", ".") for number in numbers)) == numbers
    except UnreadableFile:
        assert any(1000 <= number < 10**6 for number in numbers)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    amount = written(text)
    assert amount is None or amount.value(".") is None or amount.value(".").is_finite()  # type: ignore[union-attr]


def test_a_sign_means_the_currencies_that_have_it() -> None:
    assert means("$", "USD")
    assert means("$", "CAD")
    assert means("eur", "EUR")
    assert means("", "JPY")
    assert not means("$", "EUR")
    assert not means("€", "USD")
    assert not means("points", "USD")


@pytest.mark.parametrize("cells", [["12.500 KWD", "1.000 KWD"], ["12.500 TND"], ["12.500 EUR", "1.000 KWD"]])
def test_what_may_be_thousandths_is_asked_for_whatever_separates_the_cells(cells: list[str]) -> None:
    with pytest.raises(UnreadableFile, match="--decimal"):
        read(*cells, delimiter=";")


def test_each_row_groups_as_its_own_currency_does() -> None:
    separator = Separator(",", Currency.of("USD"))
    for line, cell in enumerate(["12,500", "1,000"], start=2):
        separator.add(line, cell, "JPY")
    assert separator.decided() == "."
