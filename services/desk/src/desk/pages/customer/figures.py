"""Figures as they are shown: what was paid by quarter, and what departments show of their own."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.api import messages
from chassis.api.messages import date_of, moment, value_name
from desk.ui.speech import Speech

Bar = tuple[str, Decimal]
BARS = 8


def quarters(purchases: Sequence[Any], say: Speech, *, more: bool = False) -> tuple[str, list[Bar]]:
    """What was paid in each of the last eight quarters, in the currency of most purchases, which comes first.

    Purchases come the latest first; with `more`, earlier ones: a quarter that lacks some is left out.
    """
    sums: dict[str, dict[int, Decimal]] = {}
    bought: Counter[str] = Counter()
    today = say.today
    current = today.year * 4 + (today.month - 1) // 3
    ages = [current - _quarter(each, say) for each in purchases]
    whole = min(BARS, ages[-1]) if more and ages else BARS
    for each, age in zip(purchases, ages, strict=True):
        if 0 <= age < whole:
            bought[each.amount.currency_code] += 1
            of = sums.setdefault(each.amount.currency_code, {})
            of[age] = of.get(age, Decimal(0)) + messages.decimal(each.amount)
    if not sums:
        return "", []
    [(currency, _)] = bought.most_common(1)
    quarters = [(current - age, sums[currency].get(age, Decimal(0))) for age in reversed(range(whole))]
    return currency, [(f"Q{quarter % 4 + 1} {quarter // 4}", amount) for quarter, amount in quarters]


def _quarter(purchase: Any, say: Speech) -> int:
    at = say.day_of(moment(purchase.purchase_time))
    return at.year * 4 + (at.month - 1) // 3


def first_day(now: datetime) -> datetime:
    """When the first of these quarters began, and a day before: wherever the reader is."""
    quarter = now.year * 4 + (now.month - 1) // 3 - BARS + 1
    return datetime(quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=UTC) - timedelta(days=1)


def cell_text(cell: Any, say: Speech) -> str:
    """A cell of a department's section, as its format says."""
    kind = cell.WhichOneof("value")
    if kind is None:
        return ""
    value = getattr(cell, kind)
    if kind == "money":
        return say.money(value)
    if kind == "date":
        return say.day(date_of(value))
    if kind == "time":
        return say.moment(moment(value))
    if kind == "flag":
        return say("yes") if value else say("no")
    if kind == "number":
        percent = value_name(cell, "format") == "PERCENT"
        return f"{say.number(round(value * 100, 1))} %" if percent else say.number(round(value, 2))
    return say.number(value) if kind == "count" else str(value)
