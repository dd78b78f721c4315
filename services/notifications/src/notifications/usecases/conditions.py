"""What policies on any event read of it: whether it is told, to whom, about what, with what, and when."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from chassis.api.formats import FORMATS
from chassis.api.messages import date_of, moment, shown_amount
from chassis.errors import InvalidArgument, Violation, invalid
from chassis.rules import BadRule, Kind, Undecided, compile_rule, compile_value, require_rule, require_value
from chassis.zones import TICK
from notifications.domain.policy import NoticePolicy
from notifications.domain.template import OTHER
from notifications.names import CUSTOMER
from notifications.usecases.event_types import customers, days, event_message, promised, texts
from notifications.usecases.filters import moment_or_day
from rapport.options.v1 import options_pb2

_VALUE_MAX = 500  # characters, as of what a sender gives
_CODES = {  # what is a code to the texts, and what stands for one that is none
    "reason": (FORMATS[options_pb2.FORMAT_CODE], OTHER),
    "reference": (FORMATS[options_pb2.FORMAT_REFERENCE], ""),
}
# Fields of what happened or begins then; all others end, or are due.
_BEGINS = (
    *("start_time", "effective_time", "purchase_time", "occur_time"),
    *("create_time", "make_time", "keep_time"),
)
_PROMISES_ALONE = "policies on PromiseAtRisk and PromiseRecovered alone tell it, as it is when they do"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def require_sound(policy: NoticePolicy) -> None:
    """Refuse an event, a field, a condition or a value that is none.

    InvalidArgument INVALID_CODE, INVALID_RULE. Also what says nothing of such an event.
    """
    if not policy.event_type and not policy.customer_date:
        raise invalid("notice_policy.event_type", "REQUIRED", "must be given, or customer_date")
    if idle := policy.idle:
        told = f"must be empty of a policy on {policy.trigger}"
        raise InvalidArgument([Violation(f"notice_policy.{name}", "INVALID_CODE", told) for name in idle])
    if policy.of_promises or policy.customer_date:
        return
    message = event_message(policy.event_type, "notice_policy.event_type")
    _require_field(message, policy.customer_field or "customer", "customer_field", customers(message))
    if policy.subject_field:
        _require_field(message, policy.subject_field, "subject_field", texts(message))
    if policy.day:
        _require_field(message, policy.day.date_field, "schedule.day.date_field", days(message))
    for i, each in enumerate(policy.cancel_event_types):
        where = f"cancel_event_types[{i}]"
        cancelling = event_message(each, f"notice_policy.{where}")
        if policy.subject_field:
            _require_field(cancelling, policy.subject_field, where, texts(cancelling))
    if policy.condition:
        require_rule(policy.condition, {"event": message}, "notice_policy.condition")
    for name, text in policy.variables.items():
        where = f"notice_policy.variables[{name}]"
        require_value(text, {"event": message}, where)
        if dated := [each for each in promised(message) if re.search(rf"\b{each}\b", text)]:
            raise invalid(where, "INVALID_RULE", f"must not tell {', '.join(dated)}: {_PROMISES_ALONE}")


def _require_field(message: type[Message], name: str, field: str, there: list[str]) -> None:
    if name not in there:
        has = ", ".join(there) or "none"
        told = f"must be a field of {message.DESCRIPTOR.name} that can be it: {has}"
        raise invalid(f"notice_policy.{field}", "INVALID_CODE", told)


def customer_of(policy: NoticePolicy, told: Any) -> str:
    """Whom an event names, by a field that it may lack; "" for nobody."""
    named = getattr(told, policy.customer_field or "customer", "")
    return named if CUSTOMER.match(named) else ""


def counts_for(policy: NoticePolicy, told: Any) -> str:
    """For whom an event is the newest: for whom it names, and for everybody ("") where it names nobody.

    A thing that is one resource may change hands: what is newest of that is so for everybody, unless a policy
    says by whom it tells them apart.
    """
    return customer_of(policy, told) if policy.customer_field or policy.subject_field else ""


def subject_of(policy: NoticePolicy, resource: str, told: Any) -> str:
    """What an event is about to a policy."""
    return getattr(told, policy.subject_field) if policy.subject_field else resource


def holds(policy: NoticePolicy, told: Any) -> bool:
    """Whether a policy's condition holds of an event; not of one of which it cannot be decided."""
    try:
        variables = _variables(told)
        return not policy.condition or compile_rule(policy.condition, variables).evaluate({"event": told})
    except (Undecided, BadRule):  # it was a rule when it was kept
        return False


def filled(policy: NoticePolicy, told: Any) -> dict[str, str] | None:
    """The values for the template; None when one cannot be told of this event."""
    try:
        variables = _variables(told)
        values = {
            name: _said(compile_value(text, variables).of({"event": told}))[:_VALUE_MAX]
            for name, text in policy.variables.items()
        }
    except (Undecided, BadRule, ValueError):  # ValueError: no day of the calendar, and what is not given
        return None
    for name, (judge, otherwise) in _CODES.items():
        if name in values and (not values[name] or judge(values[name])):
            values[name] = otherwise
    return values


def _said(value: Any) -> str:
    """What an expression says, as text: a time or a day as RFC 3339, an amount as `12.50 EUR`.

    ValueError for what an event does not give: CEL reads it as 1970, and as nothing of no currency.
    """
    match value:
        case datetime() if value == _EPOCH:
            raise ValueError("no time")
        case Money(currency_code="") | Decimal(value=""):
            raise ValueError("no amount")
        case datetime():
            return value.isoformat()
        case Date():
            return date_of(value).isoformat()
        case Money():
            return shown_amount(value)
        case Decimal():
            return str(value.value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def send_on(date_field: str, told: Any) -> str:
    """The day, or moment, of a field of an event, on whose day or before which it is told; "" for none.

    RFC 3339. What happened or begins at midnight is of the day that begins.
    """
    if not told.HasField(date_field):
        return ""
    value = getattr(told, date_field)
    try:
        at = moment(value) if isinstance(value, Timestamp) else date_of(value)
    except (ValueError, OverflowError):  # no day of the calendar
        return ""
    if moment_or_day(at.isoformat()) is None:
        return ""
    begins = isinstance(at, datetime) and date_field.endswith(_BEGINS)
    return (at + TICK if begins else at).isoformat()


def _variables(told: Any) -> Mapping[str, Kind]:
    return {"event": type(told)}
