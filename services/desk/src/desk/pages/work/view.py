"""What the pages say: pure functions of what the services answered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.cases import NOTE, OWNER, RESOLVE
from desk.pages.actions.kinds.escalations import TAKE, why_asked
from desk.pages.actions.kinds.promises import AGREE, KEEP, TAKEBACK
from desk.pages.actions.kinds.work_items import WORK, possible
from desk.pages.actions.offering import Act, offered
from desk.pages.customer.promises import dates_of
from desk.pages.customer.things import page_of_call, title_of
from desk.pages.notice_jobs.stuck import WRITE
from desk.pages.services import Listed, Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2 import ListEscalationsResponse
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import ListPromisesResponse
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import ListCustomersResponse
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.notice_job_service_pb2 import ListNoticeJobsResponse

_MOODS = {"BROKEN": "no", "AT_RISK": "stale"}


@dataclass(frozen=True)
class Line:
    """One thing to do."""

    name: str  # of the resource, for why
    customer: str  # `customers/{uuid}`; empty when it is not known now
    who: str  # what the customer is called
    what: str  # is to be done
    when: str  # in words
    mood: str  # `no`, `stale` or nothing
    acts: Sequence[Act]
    was: str = ""  # the date, when another counts: `now`, because of `why`
    now: str = ""
    why: str = ""
    whose: str = ""  # promise it is, where that is not one's own
    case: str = ""  # `cases/{uuid}` that it is, or a part of; of a promise none
    page: str = ""  # where it is done, when that is not the case


@dataclass(frozen=True)
class Customers(Listed[Line]):
    """What others promised to customers."""

    # The customers whom one manages: where their page is, and what they are called.
    links: Sequence[tuple[str, str]] = ()
    many: bool = False  # whether one manages more than were asked for


def work(parts: Parts, viewer: Viewer, say: Speech, department: str) -> Mapping[str, Listed[Line]]:
    """What there is to do, of whatever the services answered; the promises and the work of one department.

    Of the work what is in the viewer's hands has a card of its own.
    """
    names = _names(parts)
    cases, replaced = _cases(parts), _replaced(parts)
    mine = {case.name for case in parts.of("cases", ListCasesResponse).cases}
    items = [
        each for each in parts.of("items", ListWorkItemsResponse).work_items if each.assignee != viewer.agent
    ]
    listed = [each for name in ("broken", "promises") for each in _promised(parts, name)]
    unfinished = sorted(_unfinished(listed), key=lambda each: (each.case not in mine, each.due_time.seconds))
    due = [_promise(each, names, replaced, viewer, say) for each in unfinished]
    theirs = [each for each in _unfinished(_promised(parts, "theirs")) if each.department != department]
    theirs.sort(key=lambda each: each.due_time.seconds)
    waiting = [_item(each, cases, names, viewer, say) for each in items]
    managed = parts.of("managed", ListCustomersResponse)
    customers = Customers(
        rows=[_promise(each, names, replaced, viewer, say, by=True) for each in theirs],
        more=bool(parts.of("theirs", ListPromisesResponse).next_page_token or managed.next_page_token),
        trouble=_troubles(parts, say, "cases", "theirs", "managed"),
        links=[
            (each.name, each.display_name or say("A customer without a name")) for each in managed.customers
        ],
        many=bool(managed.next_page_token),
    )
    asked = [
        *(
            _asked(each, names, viewer, say)
            for each in parts.of("asked", ListEscalationsResponse).escalations
        ),
        *(
            _blocked(each, say)
            for each in parts.of("blocked", ListNoticeJobsResponse).notice_jobs
            if viewer.may_change(WRITE, each.department)
        ),
    ]
    return {
        "asked": _part(parts, asked, say, "asked"),
        "promises": _part(parts, due, say, "promises", "broken"),
        "items": _part(parts, waiting, say, "items"),
        "cases": cases_of(parts, viewer, say),
        "customers": customers,
    }


def cases_of(
    parts: Parts, viewer: Viewer, say: Speech, owners: Callable[[str], str] | None = None
) -> Listed[Line]:
    """The cases that were listed, for whom each waits while it is open, and by `owners` who owns it."""
    waiting, names = parts.of("waiting", list[WorkItem]), _names(parts)
    lines = []
    for case in parts.of("cases", ListCasesResponse).cases:
        of = [item for item in waiting if item.case == case.name]
        who = ", ".join(dict.fromkeys(say.named(item.department) for item in of))
        when = _stands(case, who, say)
        if owners:
            when += f". {say('{who} owns it.', who=owners(case.owner))}"
        is_open = value_name(case, "state") == "OPEN"
        acts = [WORK, RESOLVE if parts.has("waiting") and not of else NOTE] if is_open else []
        acts += [OWNER] if owners and is_open else []
        offers = offered(viewer, case.customer, *acts, on=case.name, owner=case.department)
        title = title_of(case, say, of)
        called = names.get(case.customer, "")
        lines.append(Line(case.name, case.customer, called, title, when, "", offers, case=case.name))
    return _part(parts, lines, say, "cases", "waiting")


def _stands(case: Case, who: str, say: Speech) -> str:
    """For how long a case is open and whom it waits for, or how it ended."""
    if value_name(case, "state") == "OPEN":
        told = N_("open for {span}, waits for {who}") if who else N_("open for {span}")
        return say(told, span=say.lasting(say.now - moment(case.open_time)), who=who)
    if case.merged_into:
        return say("is one with another case")
    lasted = say.lasting(moment(case.resolve_time) - moment(case.open_time))
    return say("{how} after {span}", how=say.code(case.resolution), span=lasted)


def _names(parts: Parts) -> Mapping[str, str]:
    """What customers are called, as far as that is known now."""
    return {name: each.display_name for name, each in parts.of("customers", dict[str, Customer]).items()}


def _promised(parts: Parts, name: str) -> Iterable[Promise]:
    return parts.of(name, ListPromisesResponse).promises


def _unfinished(listed: Iterable[Any]) -> Sequence[Any]:
    return [each for each in listed if not each.HasField("withdraw_time") and not each.successor]


def _part(parts: Parts, lines: Sequence[Line], say: Speech, *names: str) -> Listed[Line]:
    """A list, of the answers with these names."""
    more = any(getattr(parts[name].value, "next_page_token", "") for name in names if name in parts)
    return Listed(lines, more, _troubles(parts, say, *names))


def _cases(parts: Parts) -> Mapping[str, Any]:
    """Every case that is known, by name: one's own, and those of waiting work."""
    own = {case.name: case for case in parts.of("cases", ListCasesResponse).cases}
    return own | {
        name: part.value for name, part in parts.items() if name.startswith("cases/") and part.value
    }


def _replaced(parts: Parts) -> Mapping[str, Promise]:
    """The promises that others replaced, by name."""
    return {name: part.value for name, part in parts.items() if name.startswith("promises/") and part.value}


def _asked(each: Escalation, names: Mapping[str, str], viewer: Viewer, say: Speech) -> Line:
    """What the viewer is asked to take."""
    what, until = why_asked(each, say), moment(each.due_time)
    return Line(
        each.name,
        each.customer,
        names.get(each.customer, ""),
        what[:1].upper() + what[1:],
        say("take it until {moment}", moment=say.moment(until)),
        "no" if until < say.now else "stale",
        offered(viewer, each.customer, TAKE, on=each.name, owner=viewer.department),
        case=each.case,
    )


def _blocked(job: NoticeJob, say: Speech) -> Line:
    """A message to many that the viewer may have go on, once it can."""
    since = say("has not gone on since {moment}", moment=say.moment(moment(job.update_time)))
    what = say("Message to many: {template}", template=say.named(job.template))
    return Line(job.name, "", "", what, since, "no", (), page=job.name)


def _promise(
    each: Any,
    names: Mapping[str, str],
    replaced: Mapping[str, Any],
    viewer: Viewer,
    say: Speech,
    *,
    by: bool = False,
) -> Line:
    state = value_name(each, "state")
    slip = {"BROKEN": say("not kept, was due"), "AT_RISK": say("at risk, due")}.get(state, say("due"))
    before = replaced.get(each.predecessor)
    was, now = dates_of(each, before, True, say)
    if before and state == "OPEN":
        slip = say("Another date")
    reason = each.reason_code or (before.reason_code if before else "")
    acts = offered(viewer, each.customer, AGREE, KEEP, TAKEBACK, on=each.name, owner=each.department)
    what, mood = say.about(each), _MOODS.get(state, "stale" if before else "")
    return Line(
        each.name,
        each.customer,
        names.get(each.customer, ""),
        what,
        slip if was else f"{slip} {now}",
        mood,
        acts,
        was=was,
        now=now if was else "",
        why=say.code(reason) if was and reason else "",
        whose=say.named(each.department) if by else "",
    )


def _item(item: Any, cases: Mapping[str, Any], names: Mapping[str, str], viewer: Viewer, say: Speech) -> Line:
    case = cases.get(item.case)
    customer = case.customer if case else ""
    if item.HasField("forecast_finish_time"):
        when = say("expected {day}", day=say.moment(moment(item.forecast_finish_time)))
    else:
        when = say("waits for {span}", span=say.lasting(say.now - moment(item.create_time)))
    acts = possible(item) if customer else ()
    offers = offered(viewer, customer, *acts, on=item.name, owner=item.department)
    what = say.about(item)
    who, page = names.get(customer, ""), page_of_call(item)
    return Line(item.name, customer, who, what, when, "", offers, case=item.case, page=page)


def _troubles(parts: Parts, say: Speech, *names: str) -> str:
    return next(filter(None, (_trouble(parts, name, say) for name in names)), "")


def _trouble(parts: Parts, name: str, say: Speech) -> str:
    part = parts.get(name)
    if part is None or part.refusal is None:
        return ""
    if part.refusal.code == "PERMISSION_DENIED":
        return say("You may not see this.")
    if not part.away:
        return say.refusal(part.refusal)
    if name == "managed":
        return say("Customer does not answer; look again in a moment.")
    return say("Cases does not answer; look again in a moment.")
