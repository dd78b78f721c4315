"""What the pages say: pure functions of what the services answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.handing import GIVE
from desk.pages.actions.kinds.work_items import possible
from desk.pages.actions.offering import offered
from desk.pages.customer.loading import Names
from desk.pages.customer.things import page_of_call
from desk.pages.services import Listed, Parts
from desk.pages.work.view import Line
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.case_service_pb2 import BatchGetCasesResponse
from rapport.cases.v1.directory_service_pb2 import ListAgentsResponse
from rapport.cases.v1.presence_pb2 import Presence
from rapport.cases.v1.presence_service_pb2 import ListPresencesResponse
from rapport.cases.v1.queue_pb2 import Queue, QueuedWork
from rapport.cases.v1.queue_service_pb2 import ListQueuedWorkResponse, Nothing
from rapport.cases.v1.team_service_pb2 import ListTeamsResponse
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsResponse
from rapport.customer.v1.customer_pb2 import Customer

MANY = 1000  # a queue counts no further
STATES: Mapping[str, str] = {
    "AVAILABLE": N_("Available"),
    "BUSY": N_("Busy"),
    "AWAY": N_("Away"),
    "OFFLINE": N_("Not here"),
}
_MOODS = {"AVAILABLE": "ok", "BUSY": "stale", "AWAY": "stale"}


@dataclass(frozen=True)
class Somebody:
    """An agent of the department."""

    name: str  # `agents/{agent}`
    who: str
    state: str
    mood: str
    load: str  # how much they have to do
    href: str  # where what they can do is changed; empty for who may not


@dataclass(frozen=True)
class Waiting:
    """A queue: what is said of it as a whole, and what waits."""

    figures: Sequence[tuple[str, str]]
    listed: Listed[Line]
    token: str


def waiting(parts: Parts, viewer: Viewer, say: Speech) -> Waiting:
    """What waits, in its order."""
    found = parts.of("works", ListQueuedWorkResponse)
    cases, names = _cases(parts), _names(parts)
    lines = [
        _queued(each, cases, names, viewer, say, reserved=not _all_speak(each.work_item, parts))
        for each in found.queued_works
    ]
    listed = Listed(lines, bool(found.next_page_token), trouble(parts, say, "works", "queue"))
    figures = _figures(parts.of("queue", Queue), say) if parts.has("queue") else []
    return Waiting(figures, listed, found.next_page_token)


def people(parts: Parts, viewer: Viewer, say: Speech, names: Names, department: str) -> Listed[Somebody]:
    """Who of the department is there, those who are first."""
    found = parts.of("people", ListPresencesResponse)
    may = viewer.may_change("cases.agents.write", department)
    shown = [_somebody(each, may, say, names) for each in found.presences]
    rows = sorted(
        zip(found.presences, shown, strict=True),
        key=lambda each: (list(STATES).index(value_name(each[0], "state") or "OFFLINE"), each[1].who),
    )
    return Listed([each for _, each in rows], bool(found.next_page_token), trouble(parts, say, "people"))


def teams(parts: Parts, say: Speech, department: str) -> list[tuple[str, str, str]]:
    """Where the queue of each team is, what it is called, and what its people can do."""
    return [
        (
            f"/queue/{words.last(department)}/{each.name}",
            each.display_name,
            ", ".join(say.code(skill) for skill in each.skills),
        )
        for each in parts.of("teams", ListTeamsResponse).teams
    ]


def own(parts: Parts, viewer: Viewer, say: Speech) -> Listed[Line]:
    """What the viewer has to do."""
    cases, names = _cases(parts), _names(parts)
    found = parts.of("mine", ListWorkItemsResponse)
    lines = []
    for item in found.work_items:
        customer = cases[item.case].customer if item.case in cases else ""
        acts = (*possible(item), GIVE) if customer else ()
        offers = offered(viewer, customer, *acts, on=item.name, owner=item.department)
        when = say("yours since {span}", span=say.lasting(say.now - moment(item.update_time)))
        who = names.get(customer, "")
        page = page_of_call(item)
        lines.append(
            Line(item.name, customer, who, say.about(item), when, "", offers, case=item.case, page=page)
        )
    return Listed(lines, bool(found.next_page_token), trouble(parts, say, "mine"))


def why(each: QueuedWork, say: Speech, *, reserved: bool = True) -> str:
    """Why work has its place, in words; for whom it is reserved unless that is left out."""
    at, item = moment(each.deadline_time), each.work_item
    due = {
        "PROMISE": N_("promised for {when}"),
        "CLOCK": N_("due {when} by its clock"),
        "AGE": N_("due {when}, as nothing waits longer than {span}"),
    }[value_name(each, "deadline_basis") or "AGE"]
    said = [say(due, when=say.moment(at), span=say.lasting(at - moment(item.create_time)))]
    if at <= say.now:
        said.append(say("overdue"))
    elif each.deadline_near:
        said.append(say("which is soon: that alone counts"))
    else:
        if each.value_minutes:
            span = say.lasting(timedelta(minutes=each.value_minutes))
            said.append(say("{span} sooner for what the customer is worth", span=span))
        if each.continuity_minutes:
            span = say.lasting(timedelta(minutes=each.continuity_minutes))
            said.append(say("{span} sooner as you know them", span=span))
    if item.required_skills:
        skills = ", ".join(say.code(skill) for skill in item.required_skills)
        said.append(say("needs {skills}", skills=skills))
    if item.team:
        said.append(say("for {team}", team=say.named(item.team)))
    if reserved and each.language_reserved:
        language = say.language_of(item.language_code)
        said.append(say("for a while only for who speaks {language}", language=language))
    return ", ".join(said)


def nothing(each: Nothing, say: Speech) -> str:
    """Why there is nothing to do, in words."""
    reason = value_name(each, "reason")
    until = say.moment(moment(each.until_time)) if each.HasField("until_time") else ""
    if reason in ("AWAY", "BUSY", "OFFLINE"):
        told = {
            ("AWAY", False): N_("You are away: say that you are available."),
            ("AWAY", True): N_("You are away until {until}: say that you are available."),
            ("OFFLINE", False): N_("You are not here, as you said: say that you are available."),
            ("BUSY", False): N_("You are busy: say that you are available."),
            ("BUSY", True): N_("You are busy until {until}: say that you are available."),
        }[reason, bool(until)]
        return say(told, until=until)
    if reason == "CAPACITY":
        has, most = each.open_work_count, each.capacity
        return say("You have {n} of {most}: finish something first.", n=has, most=most)
    if reason == "EMPTY":
        return say("Nothing waits.")
    return " ".join([say("What waits is for others."), *_missing(each, say)])


def _missing(each: Nothing, say: Speech) -> Iterable[str]:
    if each.missing_skills:
        skills = ", ".join(say.code(skill) for skill in each.missing_skills)
        yield say("It needs {skills}.", skills=skills)
    if each.missing_teams:
        teams = ", ".join(say.named(team) for team in each.missing_teams)
        yield say("It is for {teams}.", teams=teams)
    if each.missing_language_codes:
        spoken = ", ".join(map(say.language_of, each.missing_language_codes))
        yield say("For a while it is only for who speaks {languages}.", languages=spoken)


def there(presence: Presence, say: Speech) -> str:
    """Whether somebody is there, in words."""
    state = say(STATES[value_name(presence, "state") or "OFFLINE"])
    if presence.HasField("until_time"):
        return say("{state} until {until}", state=state, until=say.moment(moment(presence.until_time)))
    return state


def trouble(parts: Parts, say: Speech, *names: str) -> str:
    """What is wrong with some parts; empty when nothing is."""
    for name in names:
        part = parts.get(name)
        if part is None or part.refusal is None:
            continue
        if part.away:
            return say("Cases does not answer; look again in a moment.")
        if part.refusal.code == "PERMISSION_DENIED":
            return say("You may not see this.")
        return say.refusal(part.refusal)
    return ""


def _queued(
    each: QueuedWork,
    cases: Mapping[str, Any],
    names: Mapping[str, str],
    viewer: Viewer,
    say: Speech,
    *,
    reserved: bool,
) -> Line:
    item = each.work_item
    customer = cases[item.case].customer if item.case in cases else ""
    offers = offered(viewer, customer, GIVE, on=item.name, owner=item.department) if customer else ()
    mood = "no" if moment(each.deadline_time) <= say.now else "stale" if each.deadline_near else ""
    who = names.get(customer, "")
    page, what, reason = page_of_call(item), say.about(item), why(each, say, reserved=reserved)
    return Line(item.name, customer, who, what, reason, mood, offers, case=item.case, page=page)


def _all_speak(item: WorkItem, parts: Parts) -> bool:
    """Whether all of its department speak the language of work: that it is reserved for them says nothing."""
    if not parts.has("agents"):
        return False
    language = item.language_code.partition("-")[0]
    return all(
        not each.language_codes or language in (code.partition("-")[0] for code in each.language_codes)
        for each in parts.of("agents", ListAgentsResponse).agents
        if each.department == item.department and not each.inactive
    )


def _figures(queue: Queue, say: Speech) -> Sequence[tuple[str, str]]:
    def counted(count: int) -> str:
        return f"{say.number(count)}{'+' if count >= MANY else ''}"

    oldest = say.lasting(say.now - moment(queue.oldest_time)) if queue.HasField("oldest_time") else ""
    return [
        (say("Waiting"), counted(queue.waiting_count)),
        (say("Overdue"), counted(queue.overdue_count)),
        *([(say("Longest wait"), oldest)] if oldest else []),
        (say("Available"), say.number(queue.available_agent_count)),
    ]


def _somebody(each: Presence, leads: bool, say: Speech, names: Names) -> Somebody:
    name = each.name.removesuffix("/presence")
    state, has = value_name(each, "state"), say.number(each.open_work_count)
    load = (
        say("has {n} of {most}", n=has, most=say.number(each.capacity))
        if each.capacity
        else say("has {n}", n=has)
    )
    href = f"/queue/{name}/abilities" if leads else ""
    return Somebody(name, names(name), there(each, say), _MOODS.get(state, "soft"), load, href)


def _cases(parts: Parts) -> Mapping[str, Any]:
    return {each.name: each for each in parts.of("cases", BatchGetCasesResponse).cases if each.name}


def _names(parts: Parts) -> Mapping[str, str]:
    return {name: each.display_name for name, each in parts.of("customers", dict[str, Customer]).items()}
