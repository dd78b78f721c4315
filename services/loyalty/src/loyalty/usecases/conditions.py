"""Conditions of earning rules, over what was bought or happened, and who earns."""

from collections.abc import Callable, Mapping
from typing import Any

from chassis.api.messages import enum_number, to_message
from chassis.errors import invalid
from chassis.events.registry import events
from chassis.rules import BadRule, Fields, Kind, Undecided, compile_rule, require_rule
from loyalty.domain.earner import Earner
from loyalty.domain.earning import Holds
from loyalty.domain.earning_rule import Basis, EarningRule
from loyalty.domain.value import Purchase
from rapport.common.v1.value_band_pb2 import ValueBand
from rapport.loyalty.v1 import purchase_pb2
from rapport.loyalty.v1.earning_rule_pb2 import EarningCustomer

# What a condition may read: departments have written it down, so that it stays. No text that people wrote.
_PURCHASE = "amount refunded_amount purchase_time quantity lines store"
_LINE = "product amount discount_amount tax_amount"
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
        require_rule(rule.condition, variables, "earning_rule.condition")


def shown(earner: Earner) -> EarningCustomer:
    """Who earns, as conditions see them."""
    number: Any = enum_number(ValueBand.DESCRIPTOR, earner.band)
    seen = EarningCustomer(band=number, tier=earner.tier)
    if earner.join_time:
        seen.join_time.FromDatetime(earner.join_time)
    return seen


def of_purchase(purchase: Purchase, customer: EarningCustomer) -> Holds:
    """Whether conditions hold of a purchase and its lines. Each is asked once."""
    message: list[purchase_pb2.Purchase] = []  # made when somebody looks

    def values(number: int | None) -> dict[str, Any]:
        if not message:
            message.append(to_message(purchase_pb2.Purchase, purchase))
        line = message[0].lines[number - 1] if number else None
        return {"purchase": message[0], "line": line, "customer": customer}

    return _asked(_BOUGHT, values)


def of_event(event: Any, customer: EarningCustomer) -> Holds:
    """Whether conditions hold of an event."""
    variables: Mapping[str, Kind] = {"event": type(event), **_CUSTOMER}
    return _asked(variables, lambda _: {"event": event, "customer": customer})


def _asked(variables: Mapping[str, Kind], values: Callable[[int | None], dict[str, Any]]) -> Holds:
    known: dict[tuple[str, int | None], bool | None] = {}

    def holds(rule: EarningRule, number: int | None) -> bool | None:
        if not rule.condition:
            return True
        key = rule.condition, number
        if key not in known:
            try:
                known[key] = compile_rule(rule.condition, variables).evaluate(values(number))
            except (BadRule, Undecided):  # it was a rule when it was kept
                known[key] = None
        return known[key]

    return holds
