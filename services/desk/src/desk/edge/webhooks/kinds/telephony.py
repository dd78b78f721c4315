"""`telephony`: what happens in a call, one webhook each, which make one contact when the call is over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field

from desk.edge.webhooks.contact import Contact, line, reference, words
from desk.edge.webhooks.kind import KIB, CallState, Direction, Glance, Kind, Line, Payload, Text, read

_LATEST = datetime.max.replace(tzinfo=UTC)
LONGEST = timedelta(days=7)  # what the contract of a timeline's entry allows
_RANK = {"ringing": 1, "menu": 0, "answered": 2, "ended": 3}


class CallEvent(Payload):
    """Something that happened in a call."""

    call: str = Field(
        min_length=1, max_length=200, description="the call's id, the same in all that tells of it"
    )
    event: Literal["menu", "ringing", "answered", "ended"]
    direction: Direction | None = None
    caller: Line = Field("", alias="from", description="who calls")
    callee: Line = Field("", alias="to", description="who is called")
    agent: str = Field("", pattern="^[a-z0-9][a-z0-9-]{0,62}$|^$", description="the code of an agent of ours")
    menu: list[Line] = Field(default_factory=list, max_length=50, description="what was chosen, in order")
    duration_s: int | None = Field(None, ge=0, le=86_400, description="how long was spoken")
    note: Text = Field("", description="of the end: what was said, or a voice message as text")


def glance(body: bytes, region_code: str) -> Glance:
    """Which call it is about, and at whom it rings. NotUnderstood."""
    told = read(CallEvent, body)
    return Glance(told.id, told.call, told.agent if told.event == "ringing" else "")


def call(bodies: Sequence[bytes], region_code: str) -> CallState:
    """How a call is: what is told late changes nothing that was later, by its own time. NotUnderstood."""
    events = sorted((read(CallEvent, each) for each in bodies), key=_since)
    agents: set[str] = set()
    talking: set[str] = set()
    answered: set[str] = set()
    for each in events:
        if each.event == "answered":  # by whom is not always told
            agents = {each.agent} if each.agent else agents
            talking = set(agents)
            answered.add(each.agent)
        elif each.event == "ringing" and each.agent and (each.time or each.agent not in answered):
            agents.add(each.agent)
            talking.discard(each.agent)
    if is_over := any(_of(events, "ended")):
        agents = talking = set()
    number, _ = _other_end(events)
    found = events[0].handles(region_code, ("PHONE", number, ""))
    normalized = next((each.value for each in found if each.type == "PHONE"), line(number))
    return CallState(frozenset(agents), frozenset(talking), normalized, is_over)


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact that a call was, in whatever order it was told of. NotUnderstood."""
    events = sorted((read(CallEvent, each) for each in bodies), key=_when)
    number, direction = _other_end(events)
    given = tuple(identifier for event in events for identifier in event.identifiers)
    first = events[0].model_copy(
        update={
            "identifiers": given,
            "customer": _first(each.customer for each in events),
            "name": _first(each.name for each in events),
            "topic": _first(each.topic for each in events),
            "reference": _first(reference(each.reference) for each in events) or events[0].call,
            "time": min((each.time for each in events if each.time), default=None),
            "language": _first(each.language for each in events),
        }
    )
    spoke = any(each.event in ("answered", "ringing") for each in events) or not any(_of(events, "menu"))
    told = first.contact(
        "VOICE" if spoke else "IVR",
        words(" ".join(_story(events, direction)), *(each.note for each in _of(events, "ended"))),
        region_code,
        ("PHONE", number, ""),
        direction=direction,
    )
    return replace(told, outcome_code=_outcome(events), duration=_spoken(events))


def _outcome(events: Sequence[CallEvent]) -> str:
    """Whether somebody was reached, of a call that rang at somebody."""
    if any(_of(events, "answered")):
        return "reached"
    return "no-answer" if any(_of(events, "ringing")) else ""


def _spoken(events: Sequence[CallEvent]) -> timedelta | None:
    """How long, as its end says, or from the first answer to it; None when that is no time at all."""
    answered, ended = list(_of(events, "answered")), list(_of(events, "ended"))
    spoken = next((timedelta(seconds=each.duration_s) for each in ended if each.duration_s is not None), None)
    if spoken is None and answered and ended:
        spoken = _between(answered[0], ended[-1])
    return spoken if spoken and timedelta(seconds=1) <= spoken <= LONGEST else None


def _other_end(events: Sequence[CallEvent]) -> tuple[str, Direction]:
    """The number that is not ours, and which way the call went."""
    direction: Direction = next((each.direction for each in events if each.direction), "INBOUND")
    return _first(each.caller if direction == "INBOUND" else each.callee for each in events), direction


def _story(events: Sequence[CallEvent], direction: Direction) -> Iterator[str]:
    yield "The customer called." if direction == "INBOUND" else "We called."
    if path := [line(step, 100) for each in _of(events, "menu") for step in each.menu]:
        yield f"In the menu: {' > '.join(path)}."
    rang, answered = list(_of(events, "ringing")), list(_of(events, "answered"))
    by = [each.agent for each in answered if each.agent]
    if answered:
        after = _between(rang[0] if rang else None, answered[0])
        whom = f" by {', then '.join(by)}" if by else ""
        yield f"Answered{whom}{f' after {_shown(after)}' if after else ''}."
    elif rang:
        at = ", ".join(dict.fromkeys(each.agent for each in rang if each.agent))
        yield f"Nobody answered{f'; it rang at {at}' if at else ''}."
    if spoken := _spoken(events):
        yield f"It lasted {_shown(spoken)}."
    if not any(_of(events, "ended")):
        yield "Its end was not told."


def _of(events: Sequence[CallEvent], event: str) -> Iterator[CallEvent]:
    return (each for each in events if each.event == event)


def _when(event: CallEvent) -> tuple[datetime, int, str]:
    return event.time or _LATEST, _RANK[event.event], event.id


def _since(event: CallEvent) -> tuple[datetime, int]:
    return event.time or _LATEST, _RANK[event.event] if event.time else 0


def _first(values: Iterator[str]) -> str:
    return next(filter(None, values), "")


def _between(first: CallEvent | None, then: CallEvent) -> timedelta | None:
    if first is None or first.time is None or then.time is None:
        return None
    return max(then.time - first.time, timedelta())


def _shown(time: timedelta) -> str:
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


DECLARED = (Kind("telephony", contact, body_max_bytes=64 * KIB, glance=glance, call=call),)
