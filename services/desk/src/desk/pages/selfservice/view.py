"""What a customer reads of promises and cases: dates, reasons, who has it; nothing that is for colleagues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.selfservice.loading import Found
from desk.ui.speech import Speech
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise

PROMISES_SHOWN = 50  # of those that are of no case that is shown
# Codes that are of our own words, in those of customers.
_THEIRS = {"customer-question": N_("Your question"), "supervisor-answer": N_("The answer that you asked for")}
_PROGRESS = {
    "RECEIVED": N_("We have it, and begin soon."),
    "IN_PROGRESS": N_("We are working on it."),
    "WAITING_FOR_CUSTOMER": N_("It goes on once you have answered."),
    "RESOLVED": N_("Settled."),
}
_ENDED = {
    "KEPT": N_("Kept: {day}."),
    "KEPT_LATE": N_("Done, later than we had promised: {day}. We are sorry."),
}


@dataclass(frozen=True)
class Line:
    """A promise: what, by when, what became of it; `moved` are earlier dates, each with why it moved."""

    what: str
    when: str
    mood: str = ""  # `bad`, `good` or nothing
    moved: Sequence[str] = ()
    name: str = ""  # of a promise that is on no case


@dataclass(frozen=True)
class Person:
    """The named human."""

    name: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Shown:
    """A case."""

    name: str
    title: str
    since: str
    progress: str
    is_over: bool
    holder: Person | None
    promises: Sequence[Line]
    notes: Sequence[tuple[str, str]]  # when, and what was written


@dataclass(frozen=True)
class Page:
    """What there is to see. Of promises those that are of no case that is shown."""

    cases: Sequence[Shown]
    promises: Sequence[Line]
    manager: Person | None  # who looks after them, as messages are signed
    answers: Person | None  # whom all else that they ask reaches: who looks after them in person
    left: str  # how many promises are not shown; empty where all are
    more: bool  # there is more than is shown
    trouble: str  # why something is missing


def shown(found: Found, say: Speech) -> Page:
    """Everything that was found, as they read it."""
    chains = _chains(found.promises)
    titled = {each.name for each in found.cases}
    of: dict[str, list[Line]] = {name: [] for name in titled}
    others: list[Line] = []
    for chain in chains:
        (of[chain[-1].case] if chain[-1].case in titled else others).append(_line(chain, say))
    things = {each.case: say.thing(each.reference) for each in reversed(found.promises) if each.reference}
    cases = [_case(each, found, of[each.name], things, say) for each in found.cases]
    trouble = say.refusal(found.trouble) if found.trouble else ""
    known = (person(found.agents.get(each)) for each in found.signers)
    manager, answers = next(filter(None, known), None), person(found.agents.get(found.manager))
    left = _left(len(others), say, at_least=found.more)
    return Page(cases, others[:PROMISES_SHOWN], manager, answers, left, found.more or bool(left), trouble)


def _left(count: int, say: Speech, *, at_least: bool) -> str:
    """How many promises are not shown, each of which is due later than those that are, or over."""
    if count <= PROMISES_SHOWN:
        return ""
    n = count - PROMISES_SHOWN
    if at_least:
        return say.count(n, "At least {n} more promise.", "At least {n} more promises.")
    return say.count(n, "{n} more promise.", "{n} more promises.")


def _case(
    case: Case, found: Found, promises: Sequence[Line], things: Mapping[str, str], say: Speech
) -> Shown:
    state = value_name(case, "state")
    is_over = state != "OPEN"
    progress = say(_PROGRESS.get(value_name(case, "progress"), _PROGRESS["RECEIVED"]))
    if is_over and case.HasField("resolve_time"):
        progress = _one_stop(say("Settled: {day}.", day=say.on(moment(case.resolve_time))))
    title, thing = _titled(case.topic, say), things.get(case.name, "")
    return Shown(
        name=case.name,
        title=f"{title}, {thing}" if thing else title,
        since=say("since {day}", day=say.on(moment(case.open_time))),
        progress=progress,
        is_over=is_over,
        holder=person(found.agents.get(case.owner)),
        promises=promises,
        notes=[(say.moment(moment(each.create_time)), each.text) for each in found.notes.get(case.name, ())],
    )


def _titled(code: str, say: Speech) -> str:
    return say(_THEIRS[code]) if code in _THEIRS else say.titled(code)


def person(agent: Agent | None) -> Person | None:
    """Who customers are told has it; nobody who serves them no more."""
    if agent is None or agent.inactive or not agent.display_name:
        return None
    return Person(agent.display_name, agent.phone, agent.email)


def _chains(promises: Sequence[Promise]) -> list[list[Promise]]:
    """Promises that replaced each other, the first of each chain first; in the order of the last."""
    by_name = {each.name: each for each in promises}
    chains = []
    for last in (each for each in promises if each.successor not in by_name):
        chain = [last]
        while (before := by_name.get(chain[0].predecessor)) is not None and before not in chain:
            chain.insert(0, before)
        chains.append(chain)
    return chains


def _line(chain: Sequence[Promise], say: Speech) -> Line:
    last = chain[-1]
    due = [say.promised(each) for each in chain]
    if len({*due}) < len(due):  # days that read alike are told with their hour, as messages do
        due = [say.due(each) for each in chain]
    before = enumerate(zip(chain[:-1], due[:-1], strict=True))
    moved = [_moved(each, at, say, is_first=not number) for number, (each, at) in before]
    when, mood = _stands(last, due[-1], say)
    what = say(_THEIRS[last.kind]) if last.kind in _THEIRS else say.about(last)
    asked = "" if last.case else last.name
    return Line(what, _one_stop(when), mood, [_one_stop(each) for each in moved], asked)


def _one_stop(sentence: str) -> str:
    """Of a sentence that ends with an abbreviation, `20. Nov.`, one full stop."""
    return sentence.replace("..", ".")


def _moved(before: Promise, due: str, say: Speech, *, is_first: bool) -> str:
    when = say("First {day}", day=due) if is_first else say("Then {day}", day=due)
    if before.customer_requested:
        return say("{when}; you asked for another date.", when=when)
    if before.reason_code:
        return say("{when}; moved: {why}.", when=when, why=say.code(before.reason_code))
    return f"{when}."


def _stands(promise: Promise, due: str, say: Speech) -> tuple[str, str]:
    """What became of a promise that is `due`, in a sentence, and how that is."""
    state = value_name(promise, "state")
    if promise.HasField("withdraw_time"):
        if promise.reason_code:
            told = say(
                "Promised for {day}, and taken back: {why}.", day=due, why=say.code(promise.reason_code)
            )
        else:
            told = say("Promised for {day}, and taken back.", day=due)
        return told, ""
    if state in _ENDED and promise.HasField("keep_time"):
        kept = say.day(moment(promise.keep_time).astimezone(say.zone_of(promise.time_zone)).date())
        return say(_ENDED[state], day=kept), "good" if state == "KEPT" else "bad"
    if state == "BROKEN":
        return say("Promised for {day}. We did not keep this, and we are sorry.", day=due), "bad"
    # What is only feared is told by a person or a message first: until then the promise stands.
    if promise.HasField("forecast_time") and promise.HasField("delay_notify_time"):
        at, zone = moment(promise.forecast_time), say.zone_of(promise.time_zone)
        expected = say.until(at, zone)
        if expected == due:
            due, expected = say.due(promise), f"{expected} {say.clock(at, zone)}"
        why = say.code(promise.reason_code) if promise.reason_code else ""
        if why:
            return say("Promised for {day}, expected {then}: {why}.", day=due, then=expected, why=why), "bad"
        return say("Promised for {day}, expected {then}.", day=due, then=expected), "bad"
    return say("Promised for {day}.", day=due), ""
