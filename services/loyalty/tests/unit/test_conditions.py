"""Conditions of earning rules: what they may be, and how often they are asked."""

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chassis.errors import InvalidArgument
from chassis.rules import Rule
from loyalty.domain.earning_rule import Basis
from loyalty.domain.purchase_lines import Line
from loyalty.domain.value import Purchase
from loyalty.usecases import conditions
from rapport.loyalty.v1.earning_rule_pb2 import EarningCustomer

from .test_earning import AT, rule

PEN = "purchase.lines.exists(each, each.product == 'pen')"


def basket(*products: str) -> Purchase:
    lines = [Line(product, Decimal(1), Decimal(1)) for product in products]
    paid = Decimal(len(products))
    return Purchase(
        UUID(int=1), UUID(int=2), paid, "USD", AT, 1, "", None, AT, AT, sold=lines, store="centre"
    )


@pytest.mark.parametrize(
    ("condition", "of_lines"),
    [
        (f"line.product == 'ink' && {PEN}", [True, False]),
        (f"line.product == 'ink' || !{PEN}", [True, False]),
        ("line.product == 'ink' && purchase.store == 'centre' && 1 / purchase.quantity == 1", [True, False]),
        ("double(line.quantity.value) >= 1.0 && line.product == 'ink'", [True, False]),
        ("double(line.quantity.value) >= 1.5", [False, False]),
        ("1 / (purchase.quantity - 1) == 1 && line.product == 'ink'", [None, False]),
    ],
)
def test_a_condition_holds_of_each_line(condition: str, of_lines: list[bool | None]) -> None:
    holds = conditions.of_purchase(basket("ink", "pen"), EarningCustomer())
    assert [holds(rule(condition=condition), number) for number in (1, 2)] == of_lines


def test_what_does_not_read_the_line_is_asked_once_of_a_purchase(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    evaluate = Rule.evaluate

    def counted(self: Rule, values: Any) -> bool:
        asked[self.text] += 1
        return evaluate(self, values)

    monkeypatch.setattr(Rule, "evaluate", counted)
    holds = conditions.of_purchase(basket(*["ink"] * 1000), EarningCustomer())
    double = rule(condition=f"line.product == 'ink' && !({PEN} || purchase.store == 'harbour')")
    assert all(holds(double, number) for number in range(1, 1001))
    assert asked == {"line.product == 'ink'": 1000, PEN: 1, "purchase.store == 'harbour'": 1}


@pytest.mark.parametrize("basis", [Basis.LINE, Basis.PURCHASE])
def test_a_part_that_goes_through_all_lines_for_each_of_them_is_refused(basis: Basis) -> None:
    part = "purchase.lines.exists(each, each.product == line.product)"
    with pytest.raises(InvalidArgument) as refused:
        conditions.require_sound(rule(condition=f"purchase.store == 'x' && {part}", basis=basis))
    assert part in str(refused.value)
    conditions.require_sound(
        rule(condition="purchase.lines.exists(line, line.product == 'pen')", basis=basis)
    )
