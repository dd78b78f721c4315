"""What the pages say of jobs that reckon anew: of which purchases, by what, how far, and what it costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.earning.view import title
from desk.ui import words
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.reevaluation_job_pb2 import ReevaluationJob, ReevaluationResult
from rapport.loyalty.v1.reevaluation_job_service_pb2 import PreviewReevaluationJobResponse

WRITE, READ = "loyalty.reevaluation_jobs.write", "loyalty.reevaluation_jobs.read"
_STATES = {
    "RUNNING": (N_("runs"), "stale"),
    "DONE": (N_("done"), "ok"),
    "CANCELLED": (N_("stopped"), "soft"),
}


@dataclass(frozen=True)
class Job:
    """A job."""

    name: str
    which: str
    by: str
    since: str
    state: str
    mood: str
    far: str
    parts: Sequence[Part]
    changes: Sequence[str]
    may_stop: bool


@dataclass(frozen=True)
class Change:
    """What something gave, and gives."""

    href: str  # where more of it is said; empty for nowhere
    title: str
    unit: str
    was: str
    now: str
    more: str  # with its sign


def job(each: ReevaluationJob, viewer: Viewer, say: Speech) -> Job:
    state, mood = _STATES.get(value_name(each, "state"), _STATES["RUNNING"])
    told = {"done": each.done_count, "all": each.purchase_count, "changed": each.changed_count}
    rest = {"kept": each.done_count, "waits": each.purchase_count - each.done_count}
    return Job(
        each.name,
        which(each, say),
        by(each, say),
        say.moment(moment(each.create_time)),
        say(state),
        mood,
        say("{done} of {all} reckoned, {changed} earn something else", **told),
        stacked(rest, max(each.purchase_count, 1)),
        changes(each.changes, say),
        value_name(each, "state") == "RUNNING" and viewer.may_change(WRITE, each.department),
    )


def which(each: ReevaluationJob, say: Speech) -> str:
    """The purchases of a job, in words."""
    first = say.on(moment(each.start_time))
    last = say.on(moment(each.end_time) - timedelta(microseconds=1))
    told = [say("bought from {first} to {last}", first=first, last=last)]
    if each.store:
        told.append(say("at {store}", store=each.store))
    if each.customer:
        told.append(say("by one customer"))
    return ", ".join(told)


def by(each: ReevaluationJob, say: Speech) -> str:
    """By which rules they are reckoned."""
    if not each.earning_rule:
        return say("by all rules of {program}", program=words.last(each.program))
    rule, _, version = each.earning_rule.partition("/versions/")
    called = {"rule": words.last(rule), "version": version}
    return say("by the rules of then, with {rule} as in version {version}", **called)


def changes(found: Iterable[ReevaluationJob.Change], say: Speech) -> list[str]:
    """What is given and taken in all."""
    told = []
    for each in found:
        unit = words.last(each.unit)
        if each.added_points:
            told.append(say("{n} {unit} more", n=say.number(each.added_points), unit=unit))
        if each.taken_points:
            told.append(say("{n} {unit} less", n=say.number(each.taken_points), unit=unit))
    return told


def costs(found: Iterable[PreviewReevaluationJobResponse.Cost], say: Speech) -> list[Change]:
    """By rule, or by department."""
    return [
        _change(
            f"/{each.earning_rule}" if each.earning_rule else "",
            words.last(each.earning_rule) or say.named(each.department),
            each.unit,
            each.earned_points,
            each.points,
            say,
        )
        for each in found
    ]


def results(found: Iterable[ReevaluationResult], people: Mapping[str, Customer], say: Speech) -> list[Change]:
    """By purchase: whose it is, and why it earns that."""
    return [
        _change(
            f"/{each.earning}",
            people.get(each.customer, Customer()).display_name or say("a customer"),
            each.unit,
            each.earned_points,
            each.points,
            say,
        )
        for each in found
    ]


def options(rules: Iterable[EarningRule], say: Speech) -> list[tuple[str, str]]:
    """By what may be reckoned: all rules of a program, or one of purchases that ever was in force."""
    found = [each for each in rules if value_name(each, "basis") != "EVENT" and each.version > 1]
    programs = sorted({each.unit.partition("/units/")[0] for each in found})
    whole = [(name, say("all rules of {program}", program=words.last(name))) for name in programs]
    return whole + [(each.name, say("{rule} as it is now", rule=title(each))) for each in found]


def _change(href: str, called: str, unit: str, was: int, now: int, say: Speech) -> Change:
    more = f"{'+' if now > was else '−'}{say.number(abs(now - was))}"  # noqa: RUF001 - a minus sign
    return Change(href, called, words.last(unit), say.number(was), say.number(now), more)
