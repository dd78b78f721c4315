"""What purchases add up to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import money
from chassis.money import Money
from loyalty.domain.value import Band, CustomerValue, Purchase, ValueFormula, added_value

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FORMULA = ValueFormula("test", "EUR", Decimal(100), Decimal(500), Decimal(2000))


def purchase(customer: int, amount: str, at: datetime = NOW, currency: str = "EUR") -> Purchase:
    return Purchase(uuid4(), UUID(int=customer), Decimal(amount), currency, at, 1, "", None, NOW, NOW)


def value(lifetime: str) -> CustomerValue:
    return CustomerValue(uuid4(), UUID(int=1), {"EUR": lifetime}, 1, NOW, NOW, NOW, NOW)


def counted(values: list[CustomerValue]) -> list[tuple[Any, ...]]:
    """Whose, how much, how many, from when to when."""
    return [
        (v.customer_id.int, v.totals, v.purchase_count, v.first_purchase_time, v.last_purchase_time)
        for v in values
    ]


@pytest.mark.parametrize(
    ("lifetime", "band"),
    [
        ("0", Band.STANDARD),
        ("99.99", Band.STANDARD),
        ("100", Band.SILVER),
        ("499.99", Band.SILVER),
        ("500", Band.GOLD),
        ("1999.99", Band.GOLD),
        ("2000", Band.PLATINUM),
    ],
)
def test_a_band_begins_at_its_threshold(lifetime: str, band: Band) -> None:
    assert FORMULA.band(value(lifetime), rates={}) is band


def test_a_customer_without_purchases_is_standard() -> None:
    least = ValueFormula("test", "EUR", Decimal("0.01"), Decimal(2), Decimal(3))
    assert [formula.band(rates={}) for formula in (FORMULA, least)] == [Band.STANDARD, Band.STANDARD]


@pytest.mark.parametrize("bands", [(0, 1, 2), (1, 1, 2), (1, 2, 2), (-1, 1, 2)])
def test_bands_that_do_not_rise_are_refused(bands: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        ValueFormula("test", "EUR", *map(Decimal, bands))


def test_bands_are_named_as_others_read_them_least_first() -> None:
    assert [str(band) for band in Band] == ["STANDARD", "SILVER", "GOLD", "PLATINUM"]
    lowest = ValueFormula("test", "EUR", Decimal(1), Decimal(2), Decimal(3))
    assert [lowest.band(value(worth), rates={}) for worth in "0123"] == list(Band)


def test_each_customer_is_added_up_once_in_the_order_of_ids() -> None:
    later = NOW + timedelta(days=1)
    added = added_value(
        [purchase(2, "0.10", later), purchase(1, "5"), purchase(2, "0.20", NOW)], NOW, uuid4, "test"
    )
    assert counted(added) == [(1, {"EUR": "5"}, 1, NOW, NOW), (2, {"EUR": "0.30"}, 2, NOW, later)]


def test_each_currency_is_added_up_by_itself_and_bands_count_one() -> None:
    paid = [purchase(1, "99"), purchase(1, "1000", currency="JPY"), purchase(1, "1.250", currency="KWD")]
    (added,) = added_value(paid, NOW, uuid4, "test")
    assert added.lifetime_values == [
        Money(Decimal(99), "EUR"),
        Money(Decimal(1000), "JPY"),
        Money(Decimal("1.250"), "KWD"),
    ]
    assert FORMULA.band(added, rates={}) is Band.STANDARD


@pytest.mark.parametrize(
    ("version", "before"), [("test", Band.GOLD), ("of-before", Band.GOLD), ("", Band.SILVER)]
)
def test_the_band_before_is_what_others_were_told_and_the_same_where_nobody_knows(
    version: str, before: Band
) -> None:
    customer = replace(value("100"), band=Band.GOLD, formula_version=version)
    assert FORMULA.put(customer, rates={}) is before
    assert (customer.band, customer.formula_version) == (Band.SILVER, "test")


def test_what_is_given_back_lowers_the_value_and_is_no_purchase() -> None:
    later = NOW + timedelta(days=1)
    assert counted(
        added_value([purchase(1, "5"), purchase(1, "-2", later), purchase(2, "-1")], NOW, uuid4, "test")
    ) == [(1, {"EUR": "3"}, 1, NOW, NOW), (2, {"EUR": "-1"}, 0, None, None)]
    assert FORMULA.band(value("-1"), rates={}) is Band.STANDARD


def test_two_purchases_of_the_same_content_count_twice() -> None:
    (added,) = added_value([purchase(1, "9.99"), purchase(1, "9.99")], NOW, uuid4, "test")
    assert (added.total("EUR"), added.purchase_count) == (Decimal("19.98"), 2)


def test_what_is_free_is_a_purchase_too() -> None:
    assert counted(added_value([purchase(1, "0")], NOW, uuid4, "test")) == [(1, {"EUR": "0"}, 1, NOW, NOW)]


def test_who_changed_gets_a_version_and_nothing_is_added() -> None:
    assert counted(added_value([], NOW, uuid4, "test", [UUID(int=1)])) == [(1, {}, 0, None, None)]


@pytest.mark.parametrize(
    "corrected",
    [
        {"customer_id": UUID(int=2)},
        {"paid": Decimal(6)},
        {"currency_code": "USD"},
        {"purchase_time": NOW + timedelta(days=1)},
        {"quantity": 2},
        {"reference": "orders/1"},
        {"refunded": Decimal(1)},
    ],
    ids=lambda corrected: next(iter(corrected)),
)
def test_a_row_says_something_new_when_any_of_its_fields_does(corrected: dict[str, Any]) -> None:
    known = purchase(1, "5")
    assert known.says(replace(known, id=uuid4(), version=2))
    assert not known.says(replace(known, **corrected))


def test_what_was_given_back_of_a_purchase_lowers_the_value_and_all_of_it_ends_the_purchase() -> None:
    part, whole = (replace(purchase(1, "1"), refunded=Decimal(back)) for back in ("0.25", "1"))
    assert counted(added_value([part, whole], NOW, uuid4, "test")) == [(1, {"EUR": "0.75"}, 1, NOW, NOW)]
    free = purchase(1, "0")
    assert [each.counts for each in (part, whole, free)] == [True, False, True]


@pytest.mark.parametrize(
    ("refunded", "by", "stands"),
    [("3", "b", ("3", "b")), ("2", "b", ("2", "a")), ("1", "b", ("2", "a")), ("1", "a", ("1", "a"))],
)
def test_what_was_given_back_grows_unless_who_said_it_corrects_it(
    refunded: str, by: str, stands: tuple[str, str]
) -> None:
    known = replace(purchase(1, "5"), refunded=Decimal(2), refunded_by="a", import_key="a")
    row = replace(known, id=uuid4(), refunded=Decimal(refunded), refunded_by=by)
    said = known.corrected_by(row)
    assert (said.id, said.refunded, said.refunded_by) == (row.id, Decimal(stands[0]), stands[1])


def test_no_more_stays_given_back_than_a_correction_leaves() -> None:
    known = replace(purchase(1, "5"), refunded=Decimal(2), refunded_by="b", import_key="a")
    for amount, stays in (("3", "2"), ("1", "1"), ("-5", "0")):
        said = known.corrected_by(replace(known, paid=Decimal(amount), refunded=Decimal(0), refunded_by="a"))
        assert (said.paid, said.refunded) == (Decimal(amount), Decimal(stays))


def test_another_row_says_only_what_was_given_back() -> None:
    known = replace(purchase(1, "5"), refunded_by="a", import_key="a")
    row = replace(known, id=uuid4(), paid=Decimal(9), quantity=7, refunded=Decimal(6), refunded_by="b")
    assert known.corrected_by(row) == replace(known, id=row.id, refunded=Decimal(5), refunded_by="b")
    assert known.corrected_by(replace(row, refunded_by="a")) == replace(row, refunded_by="a")


def test_a_purchase_is_of_its_first_version() -> None:
    assert purchase(1, "5").version == 1


@given(st.decimals(0, 10**12, places=2))
def test_money_splits_exactly(amount: Decimal) -> None:
    ours, wire = Money(amount, "EUR"), money(amount, "EUR")
    assert (ours.units, ours.nanos, ours.currency_code) == (wire.units, wire.nanos, wire.currency_code)
