"""What the page says of promises: what each was, what moved and why, and who was told when and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.customer.loading import Names
from desk.pages.promises.chosen import OUTCOMES, Chosen
from desk.pages.services import Parts
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import ListPromisesResponse, PromiseScorecard
from rapport.customer.v1.customer_pb2 import Customer

_STATES = {
    "OPEN": (N_("waits"), "soft"),
    "AT_RISK": (N_("at risk"), "stale"),
    "KEPT": (N_("kept"), "ok"),
    "KEPT_LATE": (N_("kept late"), "stale"),
    "BROKEN": (N_("not kept"), "no"),
    "RENEGOTIATED": (N_("another date"), "soft"),
    "WITHDRAWN": (N_("taken back"), "soft"),
}


@dataclass(frozen=True)
class Choice:
    """What became of promises: how many there are, where that is counted."""

    href: str
    label: str
    chosen: bool
    count: str = ""


@dataclass(frozen=True)
class Line:
    """One promise."""

    name: str
    what: str
    customer: str
    who: str
    department: str
    department_href: str
    state: str
    mood: str
    dates: str  # when it was made, due and kept
    moved: Sequence[str]  # what it took the place of, what takes its place, and why
    told: str
    case: str


def choices(chosen: Chosen, counted: PromiseScorecard.Row | None, say: Speech) -> Sequence[Choice]:
    """Everything, and each outcome, with how many there are."""
    counts = _counts(counted) if counted is not None else {}
    made = [Choice(chosen.other(outcome=""), say("Everything"), not chosen.outcome)]
    for outcome, (label, _) in OUTCOMES.items():
        count = say.number(counts[outcome]) if counts else ""
        made.append(Choice(chosen.other(outcome=outcome), say(label), chosen.outcome == outcome, count))
    return made


def _counts(row: PromiseScorecard.Row) -> Mapping[str, int]:
    return {
        "waits": row.open_count,
        "kept": row.kept_count,
        "late": row.kept_late_count,
        "broken": row.broken_count,
        "moved": row.renegotiated_count + row.customer_requested_count,
        "withdrawn": row.withdrawn_count,
    }


def lines(chosen: Chosen, parts: Parts, names: Names, say: Speech) -> Sequence[Line]:
    """The promises that were listed."""
    customers = parts.of("customers", dict[str, Customer])
    listed = parts.of("promises", ListPromisesResponse).promises
    known = parts.of("chains", dict[str, Promise]) | {each.name: each for each in listed}
    return [_line(each, chosen, known, customers, names, say) for each in listed]


def _line(
    each: Promise,
    chosen: Chosen,
    known: Mapping[str, Promise],
    customers: Mapping[str, Customer],
    names: Names,
    say: Speech,
) -> Line:
    state, mood = _STATES.get(value_name(each, "state"), (N_("waits"), "soft"))
    code, who = words.last(each.department), customers.get(each.customer)
    return Line(
        each.name,
        say.about(each),
        each.customer,
        who.display_name if who and who.display_name else say("a customer"),
        say.titled(code),
        chosen.other(department=code),
        say(state),
        mood,
        _dates(each, say),
        _moved(each, known, say),
        _told(each, names, say),
        each.case,
    )


def _dates(each: Promise, say: Speech) -> str:
    told = {"made": say.on(moment(each.make_time)), "due": say.due(each)}
    if each.HasField("keep_time"):
        return say("made {made}, due {due}, done {done}", done=say.on(moment(each.keep_time)), **told)
    return say("made {made}, due {due}", **told)


def _moved(each: Promise, known: Mapping[str, Promise], say: Speech) -> list[str]:
    """The neighbours in its chain, as far as they are known."""
    told = []
    before, after = known.get(each.predecessor), known.get(each.successor)
    if each.predecessor:
        told.append(_instead(N_("in place of {day}"), N_("in place of another date"), before, before, say))
    if each.successor:
        told.append(_instead(N_("then {day}"), N_("then another date"), after, each, say))
    elif each.reason_code:
        told.append(say.code(each.reason_code))
    return told


def _instead(dated: str, plain: str, neighbour: Promise | None, moved: Promise | None, say: Speech) -> str:
    """What stood or stands in the place of a promise, and why the one that `moved` did."""
    what = say(dated, day=say.due(neighbour)) if neighbour else say(plain)
    why = say.code(moved.reason_code) if moved and moved.reason_code else ""
    if moved and moved.customer_requested:
        why = ", ".join(filter(None, (why, say("the customer asked for it"))))
    return f"{what}: {why}" if why else what


def _told(each: Promise, names: Names, say: Speech) -> str:
    """Who told the customer of the delay, how and when; and whether that was in time."""
    if not each.HasField("delay_notify_time"):
        return ""
    how = say.code(words.spoken(value_name(each, "notify_channel")))
    told = say(
        "told by {who}, {how}, {when}",
        who=names(each.notifier) if each.notifier else say("somebody"),
        how=how,
        when=say.moment(moment(each.delay_notify_time)),
    )
    early = say("before it was due") if each.notified_early else say("after it was due")
    return f"{told}, {early}"
