"""Why a promise is in its state: the rule, the reason in words, and what the rule looked at."""

from cases.domain.facts import PromiseRecovered
from cases.domain.promise import WORK_BLOCKED, WORK_UNASSIGNED, Promise
from cases.domain.promise_state import PromiseState
from chassis.facts import Told, Why, shown

RULE_VERSION = "3"
RECOVERED = "rules/promise-recovered", "nothing makes it late any more; it is due {due}."


def why_promise(promise: Promise, told: Told, replaced: Promise | None = None) -> Why:
    """Why `promise` is as it is, and first, why it took the place of the one that it `replaced`."""
    rule, words = _words(promise)
    if told.fact == PromiseRecovered.__name__ and promise.state is PromiseState.OPEN:
        rule, words = RECOVERED[0], RECOVERED[1].format(due=_due(promise))
    state = promise.state.replace("_", " ").capitalize()
    start = f"{state} since {shown(told.time)}" if told.time else state
    return Why(f"{_replacing(replaced)}{start}: {words}", rule, RULE_VERSION)


def _replacing(before: Promise | None) -> str:
    """What whoever sees another date than the first asks, before they ask anything else."""
    if before is None:
        return ""
    told = "the customer was told that it could not be met" if before.notice else "another date was agreed on"
    late = "it was not kept, and after that " if before.state is PromiseState.BROKEN else ""
    return f"It replaces {_promised(before)}: {late}{told} ({before.reason_code}). "


def _words(promise: Promise) -> tuple[str, str]:
    due, day, why = _due(promise), _promised(promise), promise.reason_code
    if promise.state is PromiseState.AT_RISK and promise.forecast_time:
        return "rules/promise-at-risk-by-forecast", (
            f"the {promise.department_id} department now expects {shown(promise.forecast_time)}, "
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
    if promise.state is PromiseState.AT_RISK and why == WORK_BLOCKED:
        return "rules/promise-at-risk-by-blocked-work", (
            f"it is due {due}, and the work that it rests on cannot go on."
        )
    if promise.state is PromiseState.AT_RISK and why == WORK_UNASSIGNED:
        return "rules/promise-at-risk-by-unassigned-work", (
            f"it is due {due}, which is near, and nobody has taken the work that it rests on."
        )
    kept = shown(promise.keep_time) if promise.keep_time else ""
    agreed = f"another date than {day} was agreed on"
    if promise.notice:
        agreed = f"the customer was told that {day} could not be met"
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
            f"{agreed} ({why}); {promise.successor} replaces it.",
        ),
        PromiseState.WITHDRAWN: ("rules/promise-withdrawn", f"it was taken back ({why}); it was due {due}."),
    }[promise.state]


def _due(promise: Promise) -> str:
    return f"on {_promised(promise)}" if promise.due_date else _promised(promise)


def _promised(promise: Promise) -> str:
    if promise.due_date:
        return f"{promise.due_date} ({promise.time_zone})"
    return shown(promise.due_time)
