"""What the pages say of jobs: to which cases, what is done, how far it is, and why something was not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.api.messages import moment, value_name
from chassis.errors import FailedPrecondition
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.customer.loading import Names
from desk.pages.customer.things import title_of
from desk.ui import words
from desk.ui.filters import terms
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.cases.v1.case_job_pb2 import CaseJob, CaseJobResult
from rapport.cases.v1.case_pb2 import Case

WRITE = "cases.case_jobs.write"
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
    problem: str  # `cases/{uuid}`, of which these are
    does: Sequence[str]
    note: str  # as it was written
    state: str
    mood: str
    by: str
    far: str
    parts: Sequence[Part]
    may_stop: bool


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    case: str
    title: str
    why: str  # nothing was done; empty when it was


def job(each: CaseJob, viewer: Viewer, names: Names, say: Speech) -> Job:
    state, mood = _STATES.get(value_name(each, "state"), _STATES["RUNNING"])
    told = {"done": each.done_count, "all": each.case_count, "refused": each.refused_count}
    return Job(
        each.name,
        which(each, names, say),
        each.problem,
        does(each.change, names, say),
        each.change.note_text,
        say(state),
        mood,
        say("{who}, {when}", who=names(each.author), when=say.moment(moment(each.create_time))),
        say("{done} of {all} done, {refused} refused", **told),
        stacked({"kept": each.done_count, "broken": each.refused_count}, max(each.case_count, 1)),
        value_name(each, "state") == "RUNNING" and viewer.may_change(WRITE, each.department),
    )


def which(each: CaseJob, names: Names, say: Speech) -> str:
    """The cases that a job is about: its filter, term by term."""
    if each.problem:
        return say("what a problem brought about")
    told = []
    for name, plain in terms(each.filter):
        who = names(plain) if plain.startswith("agents/") else say.code(words.last(plain).lower())
        told.append(f"{say.code(name)} {say('a customer') if name == 'customer' else who}")
    return ", ".join(told)


def does(change: CaseJob.Change, names: Names, say: Speech) -> list[str]:
    """What is done to each case."""
    told = []
    if change.owner:
        told.append(say("{who} is to own it", who=names(change.owner)))
    if change.topic:
        told.append(say("it is to be about {topic}", topic=say.code(change.topic)))
    if change.note_text:
        is_told = value_name(change, "note_visibility") == "CUSTOMER"
        told.append(say("a note for the customer, too") if is_told else say("a note for colleagues"))
    if change.resolution:
        told.append(say("it is settled: {how}", how=say.code(change.resolution)))
    return told


def results(listed: Sequence[CaseJobResult], cases: Mapping[str, Case], say: Speech) -> Sequence[Result]:
    """What became of cases, which may be unknown."""
    return [Result(each.case, titled(cases.get(each.case), say), _why(each.reason, say)) for each in listed]


def titled(case: Case | None, say: Speech) -> str:
    return title_of(case, say) if case and case.name else say("a case")


def _why(reason: str, say: Speech) -> str:
    """A reason in words, or itself where people have none for it."""
    return say.refusal(FailedPrecondition(reason, say.code(reason.lower()))) if reason else ""
