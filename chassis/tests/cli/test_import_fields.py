"""What a spreadsheet's cells may look like, and what is said about those that may not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cli.imports.fields import Cells, columns_for
from chassis.cli.imports.tabular import Row, UnreadableFile


def cells(value: str, date_format: str = "") -> tuple[Cells, Row]:
    row = Row(2, {"X": value})
    return Cells(row, dict.fromkeys(("date", "amount", "quantity", "country"), "X"), date_format), row


@pytest.mark.parametrize(
    "text", ["2026-03-02", "20260302", "2026/03/02", "2026-03-02 00:00:00", "2026-03-02T00:00:00Z"]
)
def test_a_day_is_its_first_moment_or_its_last(text: str) -> None:
    assert cells(text)[0].moment("date") == datetime(2026, 3, 2, tzinfo=UTC)
    assert cells(text)[0].moment("date", end_of_day=True) == datetime(
        2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC
    )


def test_another_way_to_write_dates_is_told_by_its_format() -> None:
    assert cells("12/1/2010 8:26", "%m/%d/%Y %H:%M")[0].moment("date") == datetime(
        2010, 12, 1, 8, 26, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["yesterday", "12/1/2010", "1066-10-14", "9999-01-01", "2026-02-30"])
def test_a_date_that_cannot_be_read_is_a_problem_of_its_row(text: str) -> None:
    found, row = cells(text)
    assert found.moment("date") is None
    assert [problem.reason for problem in row.problems] == ["INVALID_TIME"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [("11.77", "11.77"), ("0", "0"), ("5", "5"), ("12.5000", "12.50"), ("1,234.50", "1234.50")],
)
def test_amounts_are_exact(text: str, amount: str) -> None:
    found, row = cells(text)
    assert found.amount("amount") == Decimal(amount)
    assert row.problems == []


@pytest.mark.parametrize(
    "text", ["-1", "1.005", "ten", "1e40", "NaN", "Infinity", "1,5", "12,34.5", "9" * 13]
)
def test_an_amount_that_is_none_is_a_problem_of_its_row(text: str) -> None:
    found, row = cells(text)
    found.amount("amount")
    assert [problem.reason for problem in row.problems] == ["INVALID_AMOUNT"]


@given(st.text())
def test_no_text_breaks_a_cell(text: str) -> None:
    found, _ = cells(text)
    assert found.amount("amount") >= 0
    assert found.count("quantity") >= 0
    assert len(found.region("country")) in (0, 2)
    at = found.moment("date")
    assert at is None or at.tzinfo is not None


def test_countries_are_known_by_name_and_by_code() -> None:
    assert [
        cells(name)[0].region("country") for name in ("Germany", "DE", "deu", "UK", "USA", "Nowhere")
    ] == [
        "DE",
        "DE",
        "DE",
        "GB",
        "US",
        "",
    ]


def test_columns_are_found_by_well_known_names_and_by_map() -> None:
    header = ["CustomerId", "InvoiceDate", "Total"]
    assert columns_for(["external_id", "date", "amount"], ["amount"], header, {}) == {
        "external_id": "CustomerId",
        "date": "InvoiceDate",
        "amount": "Total",
    }
    assert columns_for(["amount"], ["amount"], ["Wert"], {"amount": "Wert"}) == {"amount": "Wert"}


@pytest.mark.parametrize(
    ("header", "mapping"), [(["x"], {}), (["x"], {"amount": "y"}), (["x"], {"nothing": "x"})]
)
def test_a_column_that_cannot_be_told_is_asked_for(header: list[str], mapping: dict[str, str]) -> None:
    with pytest.raises(UnreadableFile):
        columns_for(["amount"], ["amount"], header, mapping)
