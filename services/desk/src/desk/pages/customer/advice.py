"""What the page advises to do next: the view's advice in sentences, with what shows it and what is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace

from chassis.api.messages import value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, working_day
from desk.pages.actions.kinds.consents import CONSENT
from desk.pages.actions.kinds.customer import CORRECT
from desk.pages.actions.kinds.goodwill import GOODWILL
from desk.pages.actions.kinds.notice import NOTICE
from desk.pages.actions.kinds.promises import AGREE
from desk.pages.actions.offering import Act, offered
from desk.pages.customer.loading import Cases, Promised
from desk.pages.customer.page import Card
from desk.pages.customer.things import things
from desk.pages.customer.troubles import Troubles
from desk.pages.services import Parts
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.view_pb2 import AdvicePart, CustomerView

PERMISSION = "customer.advice_answers.write"
MORNING = time(8)
AT_ONCE = 2  # of what cannot wait; the others open below
CAN_WAIT = "WHEN_CONVENIENT"
_A_WEEK = timedelta(days=7)  # what is put off that can wait
_TITLES = {
    "BROKEN_UNTOLD": N_("Say sorry, and agree a new date"),
    "AT_RISK_UNTOLD": N_("Tell them before they ask"),
    "SLIPPED_WITHOUT_GOODWILL": N_("Make up for it"),
    "CASE_OPEN_LONG": N_("Take the lead"),
    "HANDED_OVER_OFTEN": N_("Take the lead"),
    "NOT_FOLLOWED_UP": N_("Ask whether all is well now"),
    "DUE_UNCONFIRMED": N_("Ask the department whether it will be kept"),
    "UNREACHABLE": N_("Ask how they are reached"),
    "CONSENT_UNCONFIRMED": N_("Ask them to confirm it"),
    "VALUE_FELL": N_("Ask what we could do better"),
    "VALUABLE_SILENT": N_("Be heard of"),
    "BIRTHDAY": N_("Wish them a happy birthday"),
    "ANNIVERSARY": N_("Thank them"),
    "ZONE_UNKNOWN": N_("Ask where they live"),
}
_REASONS = {
    "BROKEN_UNTOLD": N_("{what} was due {due}, and nobody told them."),
    "AT_RISK_UNTOLD": N_("{what} is due {due} and may be late, and nobody told them."),
    "SLIPPED_WITHOUT_GOODWILL": N_("{what} was due {due}. Nothing was given for it yet."),
    "CASE_OPEN_LONG": N_("{what} is open for {days} days."),
    "HANDED_OVER_OFTEN": N_("{what} was handed over {times} times."),
    "NOT_FOLLOWED_UP": N_("{what} did them harm and is resolved. Nobody has spoken with them since."),
    "DUE_UNCONFIRMED": N_("{what} is due {due}. Nobody said that it will be kept."),
    "UNREACHABLE": N_("Nobody reached them there."),
    "CONSENT_UNCONFIRMED": N_("They said yes, which counts when they have confirmed it, until {expire}."),
    "VALUE_FELL": N_("They were {before} and are {band} now."),
    "VALUABLE_SILENT": N_("They are {band}, and we last heard of each other {last}."),
    "BIRTHDAY": N_("Their birthday: {day}."),
    "ANNIVERSARY": N_("{years} years since they first bought: {day}."),
    "ZONE_UNKNOWN": N_("Nobody noted their time zone: of their day and night we know nothing."),
}
_ACTIONS: Mapping[str, Action] = {
    "BROKEN_UNTOLD": AGREE,
    "AT_RISK_UNTOLD": AGREE,
    "SLIPPED_WITHOUT_GOODWILL": GOODWILL,
    "NOT_FOLLOWED_UP": NOTICE,
    "CONSENT_UNCONFIRMED": CONSENT,
    "VALUE_FELL": NOTICE,
    "VALUABLE_SILENT": NOTICE,
    "BIRTHDAY": NOTICE,
    "ANNIVERSARY": NOTICE,
    "ZONE_UNKNOWN": CORRECT,
}


@dataclass(frozen=True)
class Advised:
    """One thing to do: what, why, what shows that, and what does it."""

    name: str  # which its answer has
    title: str
    because: str
    evidence: str  # the resource that shows it
    act: Act | None  # what does it here
    link: str  # or where that is done
    until: str  # when it comes again, if not now: as the service takes it
    again: str  # the same in words


def next_of(parts: Parts, view: CustomerView | None, customer: str, viewer: Viewer, say: Speech) -> Card:
    """What there is to be done next, as far as the view knows."""
    known = things(parts, say)
    given = view.advice if view else ()
    pressing = [each for each in given if value_name(each, "priority") != CAN_WAIT][:AT_ONCE]
    others = [each for each in given if each not in pressing]
    told = [_advised(each, known, parts, customer, viewer, say) for each in (*pressing, *others)]
    return Card(
        trouble=Troubles(parts, view, say).of("customer", "view"),
        first=told[: len(pressing)],
        others=told[len(pressing) :],
        may=viewer.may(PERMISSION),
    )


def _advised(
    each: AdvicePart, known: Mapping[str, str], parts: Parts, customer: str, viewer: Viewer, say: Speech
) -> Advised:
    rule, evidence = value_name(each, "rule"), each.evidence
    said = {name: _VARIABLES.get(name, _as_it_is)(value, say) for name, value in each.variables.items()}
    about = {name: each.variables.get(name, "") for name in ("kind", "reference")}
    said["what"] = known.get(evidence) or said.get("topic") or say.about(SimpleNamespace(**about))
    waits = _A_WEEK if value_name(each, "priority") == CAN_WAIT else timedelta(days=1)
    again = datetime.combine(working_day(say.today + waits), MORNING, say.zone)
    return Advised(
        name=each.advice_answer,
        # One of a later release is shown by what it is called.
        title=say(_TITLES.get(rule, words.said(rule.lower()))),
        because=say(_REASONS[rule], **said) if rule in _REASONS else "",
        evidence=evidence,
        act=_act(rule, evidence, parts, customer, viewer),
        link=_page(rule, evidence, parts, customer),
        until=again.isoformat(),
        again=say.on(again),
    )


def _act(rule: str, evidence: str, parts: Parts, customer: str, viewer: Viewer) -> Act | None:
    """The button that does it, for who may; of a promise who keeps it, or answers for its case."""
    action = _ACTIONS.get(rule)
    if action is None:
        return None
    on = evidence if action in (AGREE, GOODWILL) else ""
    promise = next((known for known in parts.of("promises", Promised).promises if known.name == on), None)
    owners = [""]
    if promise is not None:
        cases = [case for case, _ in parts.of("cases", Cases).cases if case.name == promise.case]
        owners = [promise.department, *(case.department for case in cases)]
    acts = [act for owner in owners for act in offered(viewer, customer, action, on=on, owner=owner)]
    return next(iter(acts), None)


def _page(rule: str, evidence: str, parts: Parts, customer: str) -> str:
    """Where it is done, when that is another page."""
    if rule == "UNREACHABLE":
        return f"/{customer}/known"
    if evidence.startswith("cases/"):
        return f"/{evidence}"
    cases = parts.of("cases", Cases).cases
    held = (case.name for case, items in cases if any(item.name == evidence for item in items))
    return f"/{case}" if (case := next(held, "")) else ""


def _as_it_is(value: str, say: Speech) -> str:
    return value


def _by_day(value: str, say: Speech) -> str:
    return say.day(date.fromisoformat(value))


def _by(value: str, say: Speech) -> str:
    return say.until(datetime.fromisoformat(value.replace("Z", "+00:00")))


def _titled(value: str, say: Speech) -> str:
    return say.titled(value)


_VARIABLES: Mapping[str, Callable[[str, Speech], str]] = {
    "due": _by,
    "expire": _by,
    "day": _by_day,
    "last": _by_day,
    "band": _titled,
    "before": _titled,
    "topic": _titled,
}
