"""What rules give, against a model that is counted in fractions, and what returns take back."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from chassis.facts import Told
from loyalty.domain.earning import Bought, Item, Used, earned, standing
from loyalty.domain.earning_explanation import why_rule
from loyalty.domain.earning_rule import Basis, Cap, EarningRule, Holder, Period, RuleState

AT = datetime(2026, 3, 2, tzinfo=UTC)
DAY = date(2026, 3, 2)
MEMBER = UUID(int=7)


def rule(rule_id: str = "base", **given: Any) -> EarningRule:
    """A point for each dollar of each line, unless it is given otherwise."""
    default: dict[str, Any] = dict.fromkeys(
        ("display_name", "condition", "currency_code", "exclusive_group", "event_type", "customer_field"), ""
    )
    default |= {"points_per_currency_unit": None, "multiplier": None, "fixed_points": 0, "position": 0}
    default |= {"caps": [], "start_date": None, "end_date": None, "effective_time": AT, "lot_policy": None}
    default |= {"department_id": "platform", "program_id": "main", "unit_id": "points", "basis": Basis.LINE}
    if not {"points_per_currency_unit", "multiplier", "fixed_points"} & given.keys():
        default |= {"points_per_currency_unit": Decimal(1), "currency_code": "USD"}
    kept = {"version": 1, "state": RuleState.ACTIVE, "create_time": AT, "update_time": AT}
    return EarningRule(id=rule_id, **default | kept | given)


def bought(*paid: str, currency: str = "USD", day: date = DAY) -> Bought:
    return Bought(day, currency, [Item(number, Decimal(each)) for number, each in enumerate(paid, 1)])


def gives(of: Bought, *rules: EarningRule, used: Used | None = None) -> list[list[int | str]]:
    return [each.cells for each in earned(rules, of, lambda *_: True, MEMBER, used)]


@pytest.mark.parametrize(
    ("paid", "points"),
    [
        (["0.5", "0.5", "0.5"], ["0", "0", 2]),  # 1.5 is 2, and each half is none
        (["1.5", "2.5", "0.6"], [2, 2, 1]),
        (["1.5", "1.5", "0.1"], [2, 1, "0"]),  # 3 in all: the last has too few to give one
        (["10", "-3", "0.4"], [10, -3, "0"]),  # a coupon lowers
        (["1", "-3"], ["0", "0"]),  # nothing in all
        (["0", "2"], ["0", 2]),
    ],
)
def test_lines_are_rounded_half_even_and_the_last_gets_what_is_missing(
    paid: list[str], points: list[int | str]
) -> None:
    assert gives(bought(*paid), rule()) == [points]


def test_a_purchase_as_a_whole_is_shared_by_what_was_paid() -> None:
    assert gives(bought("10", "20", "3"), rule(basis=Basis.PURCHASE, fixed_points=10)) == [[3, 6, 1]]
    assert gives(bought("0", "0"), rule(basis=Basis.PURCHASE, fixed_points=10)) == [["0", 10]]


def test_a_multiplier_counts_what_the_rules_before_it_gave() -> None:
    double, half = rule("double", multiplier=Decimal(2)), rule("half", multiplier=Decimal("1.5"))
    other = rule("other", multiplier=Decimal(2), unit_id="stars")
    assert gives(bought("3", "4"), rule(), double, half, other) == [[3, 4], [3, 4], [3, 4], ["0", "0"]]


def test_of_an_exclusive_group_the_first_that_gives_something_does() -> None:
    first = rule("first", currency_code="EUR", points_per_currency_unit=Decimal(5), exclusive_group="one")
    second, third = (rule(name, fixed_points=2, exclusive_group="one") for name in ("second", "third"))
    assert gives(bought("3"), first, second, third) == [["m"], [2], ["x"]]


def test_days_of_a_campaign_are_of_when_it_was_bought() -> None:
    campaign = rule(start_date=DAY, end_date=DAY)
    assert gives(bought("3"), campaign) == [[3]]
    assert gives(bought("3", day=date(2026, 3, 3)), campaign) == [["d"]]
    assert gives(bought("3", day=date(2026, 3, 1)), campaign) == [["d"]]


def test_caps_take_from_the_last_lines_and_are_counted_by_their_time() -> None:
    capped = rule(caps=[Cap(5, Holder.MEMBER, Period.DAY), Cap(8, Holder.EVERYBODY), Cap(4, Holder.PURCHASE)])
    used: Used = Counter()
    assert gives(bought("3", "3"), capped, used=used) == [[3, 1]]
    assert gives(bought("3"), capped, used=used) == [[1]]
    assert gives(bought("3"), capped, used=used) == [["k"]]
    assert gives(bought("9", day=date(2026, 3, 3)), capped, used=used) == [[3]]
    assert sorted((key.span, n) for key, n in used.items()) == [("", 8), ("2026-03-02", 5), ("2026-03-03", 3)]


@pytest.mark.parametrize(
    ("period", "span"), [("DAY", "2027-01-01"), ("WEEK", "2026-W53"), ("MONTH", "2027-01"), ("YEAR", "2027")]
)
def test_spans_are_named(period: str, span: str) -> None:
    assert Cap(1, Holder.MEMBER, Period(period)).span(date(2027, 1, 1)) == span


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ({"fixed_points": 0}, "fixed_points"),
        ({"fixed_points": 1, "multiplier": Decimal(2)}, "fixed_points"),
        ({"points_per_currency_unit": Decimal(0), "currency_code": "USD"}, "points_per_currency_unit"),
        ({"points_per_currency_unit": Decimal(1)}, "currency_code"),
        ({"points_per_currency_unit": Decimal(1), "currency_code": "XYZ"}, "currency_code"),
        ({"multiplier": Decimal(1)}, "multiplier"),
        ({"start_date": DAY, "end_date": date(2026, 3, 1)}, "end_date"),
        ({"caps": [Cap(1, Holder.PURCHASE, Period.DAY)]}, "caps[0].period"),
        ({"event_type": "rapport.cases.v1.CaseResolved"}, "event_type"),
        ({"basis": Basis.EVENT}, "event_type"),
    ],
)
def test_a_rule_that_says_two_things_or_nothing_is_refused(given_: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        rule(**given_).check()
    assert f"earning_rule.{field}" in {each.field for each in refused.value.violations}


CENTS = st.integers(0, 100_000).map(lambda cents: Decimal(cents) / 100)
RATES = st.sampled_from([Decimal(each) for each in ("1", "0.5", "0.1", "3", "2.5", "0.333333333")])


@settings(max_examples=300, deadline=None)
@given(st.lists(CENTS, min_size=1, max_size=8), RATES, st.none() | st.integers(1, 500))
def test_a_purchase_earns_its_exact_sum_rounded_once(
    paid: list[Decimal], rate: Decimal, limit: int | None
) -> None:
    caps = [Cap(limit, Holder.PURCHASE)] if limit else []
    of = Bought(DAY, "USD", [Item(i, each) for i, each in enumerate(paid, 1)])
    base = rule(points_per_currency_unit=rate, currency_code="USD", caps=caps)
    (result,) = earned([base], of, lambda *_: True, MEMBER, None)
    exact = [Fraction(each) * Fraction(rate) for each in paid]
    total = round(sum(exact))
    assert sum(result.points) == min(total, limit or total)
    assert result.withheld == total - sum(result.points)
    assert min(result.points) >= 0
    if not limit:
        own = [round(each) for each in exact]
        earning = [i for i, each in enumerate(exact) if each]
        for i in earning[:-1]:
            after = [result.points[j] for j in earning if j > i]
            assert result.points[i] == own[i] or (result.points[i] < own[i] and not any(after))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(1, 20)), min_size=1, max_size=5), st.data())
def test_returns_in_any_order_and_sizes_take_back_exactly_everything(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Each line has so many points and pieces; they are given back piece by piece, in any order."""
    points, pieces = [n for n, _ in lines], [n for _, n in lines]
    back = data.draw(st.permutations([i for i, n in enumerate(pieces) for _ in range(n)]))
    left, taken = list(points), Counter[int]()
    gone = Counter[int]()
    for i in back:
        gone[i] += 1
        now = standing(points, [1 - Fraction(gone[j], n) for j, n in enumerate(pieces)])
        assert all(a >= b >= 0 for a, b in zip(left, now, strict=True))
        taken.update({j: a - b for j, (a, b) in enumerate(zip(left, now, strict=True))})
        assert abs(taken[i] - Fraction(points[i] * gone[i], pieces[i])) <= Fraction(1, 2)
        left = now
    assert left == [0] * len(points)
    assert [taken[i] for i in range(len(points))] == points


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "It gives 1 points for each USD (programs/main/units/points)."),
        (
            {"fixed_points": 5, "start_date": DAY, "end_date": date(2026, 3, 31)},
            "It gives 5 points from 2026-03-02 to 2026-03-31 (programs/main/units/points).",
        ),
        (
            {"multiplier": Decimal("1.50"), "caps": [Cap(300, Holder.MEMBER, Period.MONTH)]},
            "It gives 1.50 times what the rules before it give, at most 300 of a membership a month "
            "(programs/main/units/points).",
        ),
        (
            {"caps": [Cap(9, Holder.PURCHASE), Cap(1000, Holder.EVERYBODY)]},
            "It gives 1 points for each USD, at most 9 of a purchase, 1000 of everybody "
            "(programs/main/units/points).",
        ),
    ],
)
def test_a_rule_says_what_it_gives(given: dict[str, Any], says: str) -> None:
    assert why_rule(rule(**given), Told()).summary == says
