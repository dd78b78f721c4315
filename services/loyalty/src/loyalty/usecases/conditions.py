"""Conditions of earning rules, over what was bought or happened, and who earns."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from chassis.api.messages import enum_number, to_message
from chassis.errors import invalid
from chassis.events.registry import events
from chassis.rules import BadRule, Fields, Kind, Rule, Undecided, compile_rule, require_rule
from loyalty.domain.earner import Earner
from loyalty.domain.earning import Holds
from loyalty.domain.earning_rule import Basis, EarningRule
from loyalty.domain.value import Purchase
from rapport.common.v1.value_band_pb2 import ValueBand
from rapport.loyalty.v1 import purchase_pb2
from rapport.loyalty.v1.earning_rule_pb2 import EarningCustomer

# What a condition may read: departments have written it down, so that it stays. No text that people wrote.
_PURCHASE = "amount refunded_amount purchase_time quantity lines store"
_LINE = "product quantity amount discount_amount tax_amount"
SHOWN = 200  # characters of a part that is refused: headers carry them
_CUSTOMER: Mapping[str, Kind] = {
    "customer": Fields(EarningCustomer, frozenset({"band", "join_time", "tier"}))
}
_BOUGHT: Mapping[str, Kind] = {
    "purchase": Fields(purchase_pb2.Purchase, frozenset(_PURCHASE.split())),
    "line": Fields(purchase_pb2.Purchase.Line, frozenset(_LINE.split())),
    **_CUSTOMER,
}


def require_sound(rule: EarningRule) -> None:
    """Refuse a rule that can give nothing, a condition, an event or a field that is none."""
    rule.check()
    variables = _BOUGHT
    if rule.basis is Basis.EVENT:
        message = events().get(rule.event_type)
        if message is None:
            told = "must be an event of an installed contract, such as rapport.cases.v1.CaseResolved"
            raise invalid("earning_rule.event_type", "INVALID_NAME", told)
        texts = [each.name for each in message.DESCRIPTOR.fields if each.type == each.TYPE_STRING]
        if (rule.customer_field or "customer") not in texts:
            told = f"must be one of {', '.join(texts)}"
            raise invalid("earning_rule.customer_field", "INVALID_NAME", told)
        variables = {"event": message, **_CUSTOMER}
    if rule.condition:
        kept = require_rule(rule.condition, variables, "earning_rule.condition")
        _require_quick(kept)


def _require_quick(condition: Rule) -> None:
    """Refuse what goes through all lines of a purchase for each of them."""
    for part in condition.parts:
        if {"line", "purchase.lines"} <= part.reads:
            shown = part.text[:SHOWN]
            told = f"`{shown}` reads line and purchase.lines: ask of each by itself, joined with && or ||"
            raise invalid("earning_rule.condition", "INVALID_RULE", told)


def shown(earner: Earner) -> EarningCustomer:
    """Who earns, as conditions see them."""
    number: Any = enum_number(ValueBand.DESCRIPTOR, earner.band)
    seen = EarningCustomer(band=number, tier=earner.tier)
    if earner.join_time:
        seen.join_time.FromDatetime(earner.join_time)
    return seen


def of_purchase(purchase: Purchase, customer: EarningCustomer) -> Holds:
    """Whether conditions hold of a purchase and its lines."""

    @cache
    def whole() -> purchase_pb2.Purchase:
        return to_message(purchase_pb2.Purchase, purchase)

    @cache
    def without_lines() -> purchase_pb2.Purchase:
        return to_message(purchase_pb2.Purchase, purchase, lines=[])

    def values(number: int | None) -> dict[str, Any]:
        if number is None:
            return {"purchase": whole(), "line": None, "customer": customer}
        return {"purchase": without_lines(), "line": whole().lines[number - 1], "customer": customer}

    return _asked(_BOUGHT, values, "line")


def of_event(event: Any, customer: EarningCustomer) -> Holds:
    """Whether conditions hold of an event."""
    variables: Mapping[str, Kind] = {"event": type(event), **_CUSTOMER}
    return _asked(variables, lambda _: {"event": event, "customer": customer}, "")


def _asked(
    variables: Mapping[str, Kind], values: Callable[[int | None], dict[str, Any]], each_reads: str
) -> Holds:
    """Each part of a condition is asked once; those that read `each_reads` once of each number."""
    known: dict[tuple[str, int | None], bool | None] = {}

    def ask(part: Rule, number: int | None) -> bool | None:
        of = number if each_reads in part.reads else None
        if (key := (part.text, of)) not in known:
            try:
                known[key] = part.evaluate(values(of))
            except Undecided:
                known[key] = None
        return known[key]

    def holds(rule: EarningRule, number: int | None) -> bool | None:
        if not rule.condition:
            return True
        try:
            return compile_rule(rule.condition, variables).decide(partial(ask, number=number or None))
        except BadRule:  # it was a rule when it was kept
            return None

    return holds
