"""What a form says of an earning rule: all of it of a new one, else what of it can change."""

import re
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
_CAP = re.compile(r"caps\[(\d)\]\.(points|holder|period)")
HIDDEN = ("act", "etag", "request_id")
FIELDS = ("earning_rule_id", "basis", *BORN, *MASK[:-1], *_CAPS, "purchase", *HIDDEN)


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


def field_of(wrong: str) -> str:
    """The field of the form: `earning_rule.caps[1].points` is `cap_points_1`."""
    path = wrong.removeprefix("earning_rule.")
    if cap := _CAP.fullmatch(path):
        return f"cap_{cap[2]}_{cap[1]}"
    return path.partition(".")[0]


def numbers(rule: EarningRule, sent: Mapping[str, str] | None) -> Mapping[str, str]:
    """What stands in the fields of numbers: as it was typed, so that what is none can be mended."""
    caps = [str(each.points) for each in rule.caps]
    if sent:
        caps = [sent[name] for i in range(CAPS_MAX) if sent[name := f"cap_points_{i}"]]
    found = {
        name: sent[name] if sent else str(getattr(rule, name) or "") for name in ("fixed_points", "position")
    }
    return found | {f"cap_points_{i}": (caps + [""] * CAPS_MAX)[i] for i in range(CAPS_MAX)}


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
