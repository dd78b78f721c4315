"""A policy as its form says it."""

import re
from collections.abc import Container, Mapping, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import enum_name, value_name
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.trying import Typed
from rapport.common.v1.channel_pb2 import Channel
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy

CANCELS_MAX = 10
_OF_FORM = N_("must be one of those that the form has")
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
CHANNELS = ("EMAIL", "SMS", "APP")  # by which messages go
SIDES = {"before": N_("before it"), "after": N_("after it")}
CALLS = {
    "": N_("who is fragile, or of the highest value to us"),
    "NEVER": N_("nobody"),
    "ALWAYS": N_("everybody"),
}
DATES = {"BIRTH_DATE": N_("A customer's birthday")}
UNITS = {"seconds": N_("seconds"), "minutes": N_("minutes"), "hours": N_("hours"), "days": N_("days")}
_TEXTS = ("condition", "customer_field", "subject_field")
_OF_DAY = ("day_count", "send_hour", "yearly")  # beside which a day is chosen
DELIVERY = (*(f"channel-{i}" for i in range(len(CHANNELS))), "silent_count")  # fields of how it goes
# Beside these the form has `v-{name}` for each variable, `cancel-{i}` for what cancels it, and `channel-{i}`.
_VARIABLE = re.compile(r"variables\[(\w+)\]")
_CANCEL = re.compile(r"cancel_event_types\[(\d+)\]")
_CHANNEL = re.compile(r"delivery.channels\[(\d+)\]")
_OTHERS = {
    "schedule.delay": "after_count",
    "schedule.day.date_field": "date_field",
    **{f"{day}.offset_days": "day_count" for day in ("schedule.day", "customer_date")},
    **{f"{day}.hour": "send_hour" for day in ("schedule.day", "customer_date")},
    "expire_after": "expire_count",
    "delivery.fallback_after": "silent_count",
    "notice_policy_id": "code",
}


def policy_of(now: NoticePolicy, typed: Typed, asked: Sequence[str]) -> NoticePolicy:
    """The policy as it is to be; `asked` are variables of its template. InvalidArgument for no number."""
    policy = NoticePolicy(
        name=now.name,
        department=now.department,
        template=typed.text("template") or now.template,
        disabled=typed.text("disabled") == "on",
    )
    put_trigger(policy, trigger_of(now))
    for name in _TEXTS:
        setattr(policy, name, "\n".join(typed.text(name).splitlines()))
    _put_schedule(policy, typed)
    for name in asked:
        if text := typed.text(f"v-{name}"):
            policy.variables[name] = text
    policy.cancel_event_types.extend(cancels(typed.fields))
    _put(policy.expire_after, _span(typed, "expire"))
    if (delivery := strategy_of(typed)).ByteSize():
        policy.delivery.CopyFrom(delivery)
    if call := _of(CALLS, "call_first", typed.text("call_first")):
        policy.call_first = NoticePolicy.CallFirst.Value(f"CALL_FIRST_{call}")
    return policy


def trigger_of(policy: NoticePolicy) -> str:
    """What leads to its notices, as the form has it: an event by its full name, or a date of customers."""
    return value_name(policy.customer_date, "date") or policy.event_type


def put_trigger(policy: NoticePolicy, trigger: str) -> None:
    """Have that lead to its notices."""
    if trigger in DATES:
        policy.customer_date.date = NoticePolicy.CustomerDate.Date.Value(f"DATE_{trigger}")
    else:
        policy.event_type = trigger


def _put_schedule(policy: NoticePolicy, typed: Typed) -> None:
    """When it is sent. InvalidArgument for a delay beside a day, and for days, an hour or years without."""
    delay = _span(typed, "after")
    date_field, of_date = typed.text("date_field"), policy.HasField("customer_date")
    if not date_field and not of_date:
        if any(typed.text(name) for name in _OF_DAY):
            raise invalid("date_field", "REQUIRED", N_("must be chosen where days, an hour or each year is"))
        if delay is not None:
            policy.schedule.delay.FromTimedelta(delay)
        return
    if delay is not None:
        raise invalid("after_count", "INVALID_TIME", N_("must be empty where a day is chosen"))
    if not of_date:
        policy.schedule.day.date_field, policy.schedule.day.yearly = date_field, typed.text("yearly") == "on"
    day = day_of(policy)
    day.offset_days = typed.number("day_count") * (1 if typed.text("day_side") == "after" else -1)
    if typed.text("send_hour"):
        day.hour = typed.number("send_hour")


def day_of(policy: NoticePolicy) -> NoticePolicy.CustomerDate | NoticePolicy.Schedule.Day:
    """When it is sent by a day: on which after that, and from which hour on."""
    return policy.customer_date if policy.HasField("customer_date") else policy.schedule.day


def hour_of(policy: NoticePolicy) -> str:
    """The hour that it says; "" for none."""
    day = day_of(policy)
    return str(day.hour) if day.HasField("hour") else ""


def strategy_of(typed: Typed) -> DeliveryStrategy:
    """By which channels it goes, as was chosen. InvalidArgument for what is not offered."""
    strategy = DeliveryStrategy()
    for each in _chosen(typed.fields, "channel", len(CHANNELS)):
        strategy.channels.append(Channel.Value(f"CHANNEL_{_of(CHANNELS, 'channel-0', each)}"))
    if silent := _span(typed, "silent"):
        _put(strategy.fallback_after, silent)
    return strategy


def _of(offered: Container[str], field: str, chosen: str) -> str:
    """What was chosen. InvalidArgument for what is not offered."""
    if chosen and chosen not in offered:
        raise invalid(field, "INVALID_ENUM", _OF_FORM)
    return chosen


def _span(typed: Typed, name: str) -> timedelta | None:
    """So many of a unit; none for an empty field."""
    if not typed.text(f"{name}_count"):
        return None
    unit = _SECONDS.get(typed.text(f"{name}_unit"))
    if unit is None:
        raise invalid(f"{name}_unit", "INVALID_ENUM", _OF_FORM)
    return timedelta(seconds=typed.number(f"{name}_count") * unit)


def _put(duration: Duration, span: timedelta | None) -> None:
    if span is not None:
        duration.FromTimedelta(span)


def counted(duration: Duration) -> tuple[int, str]:
    """So many of the greatest unit of which it is a whole number: `(2, "days")`."""
    seconds = duration.seconds
    unit = next(unit for unit, of in reversed(_SECONDS.items()) if seconds % of == 0)
    return seconds // _SECONDS[unit], unit


def channels(strategy: DeliveryStrategy) -> list[str]:
    """The channels of a strategy, in their order: `EMAIL`."""
    return [enum_name(Channel.DESCRIPTOR, each) for each in strategy.channels]


def field_of(wrong: str) -> str:
    """The field of the form: `notice_policy.variables[worth]` is `v-worth`."""
    path = wrong.removeprefix("notice_policy.")
    if variable := _VARIABLE.fullmatch(path):
        return f"v-{variable[1]}"
    if cancel := _CANCEL.fullmatch(path):
        return f"cancel-{cancel[1]}"
    if channel := _CHANNEL.fullmatch(path):
        return f"channel-{channel[1]}"
    return _OTHERS.get(path, path)


def cancels(typed: Mapping[str, str]) -> list[str]:
    """The events that were chosen to cancel it, each once."""
    return _chosen(typed, "cancel", CANCELS_MAX)


def _chosen(typed: Mapping[str, str], name: str, most: int) -> list[str]:
    """What was chosen in the fields of a name, each once."""
    chosen = (typed.get(f"{name}-{i}", "").strip() for i in range(most))
    return list(filter(None, dict.fromkeys(chosen)))


def written(policy: NoticePolicy) -> dict[str, str]:
    """What stands in the fields of its form."""
    found = {name: getattr(policy, name) for name in _TEXTS}
    day, of_event = day_of(policy), policy.schedule.day
    found |= {"date_field": of_event.date_field, "send_hour": hour_of(policy)}
    found |= {"day_count": str(abs(day.offset_days) or "")}
    found["day_side"] = "after" if day.offset_days > 0 else "before"
    found["call_first"] = value_name(policy, "call_first")
    found |= {f"channel-{i}": each for i, each in enumerate(channels(policy.delivery))}
    found |= {f"v-{name}": text for name, text in policy.variables.items()}
    found |= {f"cancel-{i}": each for i, each in enumerate(policy.cancel_event_types)}
    times = {
        "after": policy.schedule.delay,
        "expire": policy.expire_after,
        "silent": policy.delivery.fallback_after,
    }
    for name, path in times.items():
        count, unit = counted(path) if path.seconds else ("", "days")
        found |= {f"{name}_count": str(count), f"{name}_unit": unit}
    ticked = {"disabled": policy.disabled, "yearly": of_event.yearly}
    return found | {name: "on" for name, is_ticked in ticked.items() if is_ticked}
