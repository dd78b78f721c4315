"""Why a promise is in its state: the rule, the reason in words, and what the rule looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cases.domain.promise import Promise, PromiseState

RULE_VERSION = "2"
RECOVERED = "rules/promise-recovered", "the department expects to be in time again; it is due {due}."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: `rules/...`, one or two sentences, and the inputs by name. No personal data."""

    rule: str
    summary: str
    inputs: dict[str, str]


def reason(promise: Promise, since: datetime | None, recovered: bool) -> Reason:
    """Why `promise` is as it is; `since` when, if that is still known; `recovered` by its latest fact."""
    rule, words = _words(promise)
    if recovered and promise.state is PromiseState.OPEN:
        rule, words = RECOVERED[0], RECOVERED[1].format(due=_due(promise))
    state = promise.state.replace("_", " ").capitalize()
    start = f"{state} since {_shown(since)}" if since else state
    return Reason(rule, f"{start}: {words}", _inputs(promise))


def _words(promise: Promise) -> tuple[str, str]:
    due, day, why = _due(promise), _promised(promise), promise.reason_code
    if promise.state is PromiseState.AT_RISK and promise.forecast_time:
        return "rules/promise-at-risk-by-forecast", (
            f"the {promise.department_id} department now expects {_shown(promise.forecast_time)}, "
            f"later than the {day} that was promised ({why})."
        )
    if promise.state is PromiseState.BROKEN and promise.successor:
        return "rules/promise-told-late", (
            f"it was due {due}, was not kept, and the customer got a new date after that ({why}); "
            f"{promise.successor} replaces it."
        )
    if promise.state is PromiseState.BROKEN and promise.withdraw_time:
        return "rules/promise-withdrawn-late", (
            f"it was due {due}, was not kept, and was taken back after that ({why})."
        )
    kept = _shown(promise.keep_time) if promise.keep_time else ""
    return {
        PromiseState.OPEN: (
            "rules/promise-open",
            f"it is due {due} and nothing says that it will not be kept.",
        ),
        PromiseState.AT_RISK: (
            "rules/promise-at-risk-by-clock",
            f"it is due {due}, which is near, and {promise.department_id} has not kept it yet.",
        ),
        PromiseState.KEPT: ("rules/promise-kept", f"it was kept {kept}, in time for {day}."),
        PromiseState.KEPT_LATE: ("rules/promise-kept-late", f"it was kept {kept}, after it was due {due}."),
        PromiseState.BROKEN: ("rules/promise-broken", f"it was due {due} and was not kept."),
        PromiseState.RENEGOTIATED: (
            "rules/promise-renegotiated",
            f"the customer was told that {day} could not be met ({why}); {promise.successor} replaces it.",
        ),
        PromiseState.WITHDRAWN: ("rules/promise-withdrawn", f"it was taken back ({why}); it was due {due}."),
    }[promise.state]


def _inputs(promise: Promise) -> dict[str, str]:
    times = {
        "make_time": promise.make_time,
        "due_time": promise.due_time,
        "forecast_time": promise.forecast_time,
        "keep_time": promise.keep_time,
        "withdraw_time": promise.withdraw_time,
    }
    days = {"due_date": promise.due_date, "forecast_date": promise.forecast_date}
    names = {
        "reason_code": promise.reason_code,
        "department": promise.department,
        "work_item": promise.work_item,
        "predecessor": promise.predecessor,
        "successor": promise.successor,
        "notice": promise.notice,
        "time_zone": promise.time_zone,
    }
    shown = {name: at.astimezone(UTC).isoformat() for name, at in times.items() if at}
    shown |= {name: day.isoformat() for name, day in days.items() if day}
    return shown | {name: value for name, value in names.items() if value}


def _due(promise: Promise) -> str:
    return f"on {_promised(promise)}" if promise.due_date else _promised(promise)


def _promised(promise: Promise) -> str:
    if promise.due_date:
        return f"{promise.due_date} ({promise.time_zone})"
    return _shown(promise.due_time)


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
