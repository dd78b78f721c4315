"""What a form says of an earning rule: all of it of a new one, else what of it can change."""

from collections.abc import Mapping
from datetime import date

from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal

from chassis.errors import invalid
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule

CAPS_MAX, _DIGITS = 5, 9
TEXTS = ("display_name", "condition", "currency_code", "exclusive_group")
BORN = ("unit", "event_type", "customer_field")
MASK = (
    *TEXTS,
    "fixed_points",
    "position",
    "points_per_currency_unit",
    "multiplier",
    "start_date",
    "end_date",
    "caps",
)
_CAPS = tuple(f"cap_{part}_{i}" for i in range(CAPS_MAX) for part in ("points", "holder", "period"))
FIELDS = ("earning_rule_id", "basis", *BORN, *MASK[:-1], *_CAPS, "act", "etag", "purchase", "request_id")


def typed(before: EarningRule, sent: Mapping[str, str], *, is_new: bool = False) -> EarningRule:
    """What was typed; what the form does not have stays. InvalidArgument for what is no day."""
    rule = EarningRule()
    rule.CopyFrom(before)
    for name in (*TEXTS, *(BORN if is_new else ())):
        setattr(rule, name, _text(sent[name]))
    if is_new and sent["basis"] in EarningRule.Basis.keys():  # noqa: SIM118 - a wrapper of an enum, no mapping
        rule.basis = EarningRule.Basis.Value(sent["basis"])
    for name in ("fixed_points", "position"):
        setattr(rule, name, _number(sent[name]))
    for name in ("points_per_currency_unit", "multiplier"):
        rule.ClearField(name)  # type: ignore[arg-type]  # one of the two
        if sent[name]:
            getattr(rule, name).CopyFrom(Decimal(value=sent[name]))
    for name in ("start_date", "end_date"):
        rule.ClearField(name)  # type: ignore[arg-type]  # one of the two
        if sent[name]:
            getattr(rule, name).CopyFrom(_day(name, sent[name]))
    del rule.caps[:]
    rule.caps.extend(_cap(sent, i) for i in range(CAPS_MAX) if sent[f"cap_points_{i}"])
    return rule


def is_kept(before: EarningRule, rule: EarningRule) -> bool:
    """Whether nothing was typed that the rule, as it is kept, does not say."""
    kept = EarningRule()
    kept.CopyFrom(before)
    kept.condition = _text(before.condition)
    return kept == rule


def _text(sent: str) -> str:
    """With the ends of lines that the service keeps: browsers send two characters for each."""
    return "\n".join(sent.strip().splitlines())


def _cap(sent: Mapping[str, str], i: int) -> EarningRule.Cap:
    cap = EarningRule.Cap(points=_number(sent[f"cap_points_{i}"]))
    holder, period = sent[f"cap_holder_{i}"], sent[f"cap_period_{i}"]
    if holder in EarningRule.Cap.Holder.keys():  # noqa: SIM118 - as above
        cap.holder = EarningRule.Cap.Holder.Value(holder)
    if period in EarningRule.Cap.Period.keys():  # noqa: SIM118 - as above
        cap.period = EarningRule.Cap.Period.Value(period)
    return cap


def _number(text: str) -> int:
    """A number, or 0; what is none is refused as a negative one is."""
    if not text:
        return 0
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else -1


def _day(name: str, text: str) -> Date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise invalid(name, "INVALID_TIME", "must be a day") from None
    return Date(year=day.year, month=day.month, day=day.day)
