"""A policy as its form says it."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.trying import Typed
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy

CANCELS_MAX = 10
_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}
UNITS = {"minutes": N_("minutes"), "hours": N_("hours"), "days": N_("days")}
_TEXTS = ("condition", "customer_field", "subject_field", "date_field")
# Beside these the form has `v-{name}` for each variable, and `cancel-{i}` for what cancels it.
_VARIABLE = re.compile(r"variables\[(\w+)\]")
_CANCEL = re.compile(r"cancel_event_types\[(\d+)\]")
_TIMES = {"after": "after_count", "expire_after": "expire_count"}


def policy_of(now: NoticePolicy, typed: Typed, asked: Sequence[str]) -> NoticePolicy:
    """The policy as it is to be; `asked` are variables of its template. InvalidArgument for no number."""
    policy = NoticePolicy(
        name=now.name,
        department=now.department,
        event_type=now.event_type,
        template=typed.text("template") or now.template,
        disabled=typed.text("disabled") == "on",
    )
    for name in _TEXTS:
        setattr(policy, name, "\n".join(typed.text(name).splitlines()))
    if policy.date_field:
        policy.days_before, policy.send_hour = typed.number("days_before"), typed.number("send_hour")
    for name in asked:
        if text := typed.text(f"v-{name}"):
            policy.variables[name] = text
    policy.cancel_event_types.extend(cancels(typed.fields))
    _put(policy.after, _span(typed, "after"))
    _put(policy.expire_after, _span(typed, "expire"))
    return policy


def _span(typed: Typed, name: str) -> timedelta | None:
    """So many of a unit; none for an empty field."""
    if not typed.text(f"{name}_count"):
        return None
    unit = _SECONDS.get(typed.text(f"{name}_unit"))
    if unit is None:
        raise invalid(f"{name}_unit", "INVALID_ENUM", N_("must be one of those that the form has"))
    return timedelta(seconds=typed.number(f"{name}_count") * unit)


def _put(duration: Duration, span: timedelta | None) -> None:
    if span is not None:
        duration.FromTimedelta(span)


def counted(duration: Duration) -> tuple[int, str]:
    """So many of the greatest unit of which it is a whole number: `(2, "days")`."""
    seconds = duration.seconds
    unit = next((unit for unit, of in reversed(_SECONDS.items()) if seconds % of == 0), "minutes")
    return seconds // _SECONDS[unit], unit


def field_of(wrong: str) -> str:
    """The field of the form: `notice_policy.variables[worth]` is `v-worth`."""
    path = wrong.removeprefix("notice_policy.")
    if variable := _VARIABLE.fullmatch(path):
        return f"v-{variable[1]}"
    if cancel := _CANCEL.fullmatch(path):
        return f"cancel-{cancel[1]}"
    return _TIMES.get(path, "code" if path == "notice_policy_id" else path)


def cancels(typed: Mapping[str, str]) -> list[str]:
    """The events that were chosen to cancel it, each once."""
    chosen = (typed.get(f"cancel-{i}", "").strip() for i in range(CANCELS_MAX))
    return list(filter(None, dict.fromkeys(chosen)))


def written(policy: NoticePolicy) -> dict[str, str]:
    """What stands in the fields of its form."""
    found = {name: getattr(policy, name) for name in _TEXTS}
    found |= {name: str(getattr(policy, name) or "") for name in ("days_before", "send_hour")}
    found |= {f"v-{name}": text for name, text in policy.variables.items()}
    found |= {f"cancel-{i}": each for i, each in enumerate(policy.cancel_event_types)}
    for name, path in (("after", policy.after), ("expire", policy.expire_after)):
        count, unit = counted(path) if path.seconds else ("", "days")
        found |= {f"{name}_count": str(count), f"{name}_unit": unit}
    return found | ({"disabled": "on"} if policy.disabled else {})
