"""What one service listens to and has still to do: a pure function of what it answered."""

from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.operations.asking import Asked
from desk.pages.services import Listed, Part, Parts
from desk.ui.speech import Speech
from rapport.operations.v1.operations_pb2 import Consumer

STATES = {
    "PENDING": N_("waits for its time"),
    "CLAIMED": N_("is being prepared"),
    "HANDING_OVER": N_("is being handed over"),
    "UNKNOWN": N_("nobody knows whether it was done"),
}


@dataclass(frozen=True)
class Due:
    """A timer, or work on the outside world."""

    what: str  # its kind, as people say it
    key: str  # to what
    due: str  # when, and `is_late` when that is over
    exactly: str
    is_late: bool
    state: str  # how it is with it
    mood: str = ""


@dataclass(frozen=True)
class Waiting:
    """The page of one service."""

    consumers: Listed[Consumer]
    timers: Listed[Due]
    work: Listed[Due]


def waiting(asked: Asked, parts: Parts, say: Speech) -> Waiting:
    """The page."""
    return Waiting(
        _listed(asked.consumers, "consumers", lambda each, _: each, say),
        _listed(parts["timers"], "timers", _timer, say),
        _listed(parts["work"], "work", _work, say),
    )


def _listed(part: Part[Any], field: str, row: Any, say: Speech) -> Listed[Any]:
    if part.value is None:
        return Listed(trouble=say("unknown: {why}", why=say.refusal(part.refusal) if part.refusal else ""))
    rows = [row(each, say) for each in getattr(part.value, field)]
    return Listed(rows, bool(part.value.next_page_token))


def _timer(each: Any, say: Speech) -> Due:
    failed = say("failed {n} times", n=say.number(each.attempt_count)) if each.attempt_count else ""
    return _due(each, failed, "warn" if failed else "", say)


def _work(each: Any, say: Speech) -> Due:
    state = value_name(each, "state")
    told = say(STATES[state]) if state in STATES else say.code(state.lower())
    if each.alarm:
        told = say("waits for us to mend something")
    if each.attempt_count:
        told = say("{told}, attempt {n}", told=told, n=say.number(each.attempt_count))
    if each.code:
        told = say("{told}: {code}", told=told, code=each.code)
    return _due(each, told, "bad" if each.alarm else "warn" if state == "UNKNOWN" else "", say)


def _due(each: Any, state: str, mood: str, say: Speech) -> Due:
    at = moment(each.due_time)
    return Due(say.code(each.kind), each.key, say.away(at), say.exactly(at), at < say.now, state, mood)
