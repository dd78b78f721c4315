"""What the pages say of messages to many: to whom, how far each is, and why somebody gets none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.type.date_pb2 import Date

from chassis.api.messages import moment, value_name
from chassis.errors import FailedPrecondition
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.customer.loading import Names
from desk.pages.notice_jobs.stuck import WHY, WRITE
from desk.pages.notice_policies import forms
from desk.pages.notice_policies import view as policies
from desk.pages.notices import view as notices
from desk.ui import words
from desk.ui.filters import day_of_year, terms
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.notice_job_pb2 import NoticeJob, NoticeJobResult
from rapport.notifications.v1.notice_job_service_pb2 import NoticeJobReport, PreviewNoticeJobResponse
from rapport.notifications.v1.template_pb2 import Template

_COUNTED = 1000  # more is said to be more
_STATES = {
    "RUNNING": (N_("runs"), "stale"),
    "PAUSED": (N_("paused"), "no"),
    "BLOCKED": (N_("cannot go on"), "no"),
    "DONE": (N_("done"), "ok"),
    "CANCELLED": (N_("given up"), "no"),
}


@dataclass(frozen=True)
class Job:
    """A job."""

    name: str
    template: str
    which: str
    by: str
    state: str
    mood: str
    why: str  # it cannot go on; empty of one that can
    far: str
    when: Sequence[str]  # from when on, until when, how fast, by which channels
    given: Sequence[tuple[str, str]]  # to the words
    may_pause: bool
    may_resume: bool  # or give it up: one that stands alone, so that no single key does what is for good


@dataclass(frozen=True)
class Result:
    """A customer who gets none."""

    customer: str  # `customers/{uuid}`; empty of who is not known
    who: str
    why: str


def offered(templates: Iterable[Template], say: Speech) -> list[tuple[str, str]]:
    """Words that people may send: no policy's alone, and with a text in their default language."""
    found = [
        each
        for each in templates
        if not each.policies_only and each.default_language_code in each.language_codes
        if value_name(each, "type") != "PARTIAL"
    ]
    return [(each.name, say.named(each.name)) for each in found]


def job(each: NoticeJob, viewer: Viewer, names: Names, say: Speech) -> Job:
    """A job, for who may pause it or not."""
    name = value_name(each, "state")
    state, mood = _STATES.get(name, _STATES["RUNNING"])
    may = viewer.may_change(WRITE, each.department)
    return Job(
        each.name,
        each.template,
        which(each.filter, names, say),
        say("{who}, {when}", who=names(each.author), when=say.moment(moment(each.create_time))),
        say(state),
        mood,
        say(WHY[each.reason_code]) if each.reason_code in WHY else "",
        say(
            "{requested} asked for, {refused} not", requested=each.requested_count, refused=each.refused_count
        ),
        when(each, say),
        sorted(each.variables.items()),
        may and name == "RUNNING",
        may and name in ("PAUSED", "BLOCKED"),
    )


def which(filter: str, names: Names, say: Speech) -> str:
    """The customers that a filter finds, in words."""
    told = []
    for name, plain in terms(filter):
        match name:
            case "region_code":
                told.append(say("in {country}", country=say.locale.territories.get(plain, plain)))
            case "relationship_manager":
                told.append(say("whom {who} looks after", who=names(plain)))
            case "prospect":
                told.append(say("who bought nothing yet") if plain == "true" else say("who bought something"))
            case "birthday":
                told.append(say("whose birthday is {day}", day=say.partly(day_of_year(plain) or Date())))
            case _:
                told.append(say("known since {day}", day=_day(plain, say)))
    return ", ".join([say("customers"), *told]) if told else say("all customers")


def agents(filter: str) -> set[str]:
    """The colleagues whom a filter names."""
    return {plain for name, plain in terms(filter) if name == "relationship_manager"}


def _day(text: str, say: Speech) -> str:
    try:
        return say.on(datetime.fromisoformat(text))
    except ValueError:
        return text


def when(each: NoticeJob, say: Speech) -> list[str]:
    """When it goes, how fast and by which channels."""
    told = []
    if each.HasField("schedule_time"):
        told.append(say("from {when} on", when=say.moment(moment(each.schedule_time))))
    elif not each.name:  # it did not begin yet
        told.append(say("at once"))
    if each.HasField("expire_time"):
        told.append(say("of use until {when}", when=say.moment(moment(each.expire_time))))
    if each.rate_per_minute:
        told.append(say("to {n} a minute", n=each.rate_per_minute))
    if channels := forms.channels(each.delivery):
        told.append(
            say("by {channels}", channels=", ".join(say.code(words.spoken(name)) for name in channels))
        )
    if each.delivery.HasField("fallback_after"):
        silent = policies.span(each.delivery.fallback_after, say)
        told.append(say("by the next channel, too, after {span} of silence", span=silent))
    return told


def outcomes(report: NoticeJobReport, say: Speech) -> list[tuple[str, str, str, str]]:
    """Of how many it was sent by now, waits, or was not sent and why; with a mood."""
    return [
        (
            say.number(one.notice_count),
            notices.told(state := value_name(one, "state"), say),
            notices.MOODS.get(state, ""),
            say.code(one.reason_code) if one.reason_code else "",
        )
        for one in report.reasons
    ]


def results(
    listed: Iterable[NoticeJobResult], customers: Mapping[str, Customer], say: Speech
) -> Sequence[Result]:
    """Those who get none."""
    return [
        Result(*_known(each.customer, customers, say), say.refusal(FailedPrecondition(each.reason, "")))
        for each in listed
    ]


def previewed(
    answer: PreviewNoticeJobResponse, customers: Mapping[str, Customer], say: Speech
) -> Mapping[str, Any]:
    """How many it would reach, who not and why, and what they would read."""
    many = answer.customer_count > _COUNTED
    checked = sum(each.customer_count for each in answer.counts)
    count = say.number(min(answer.customer_count, _COUNTED))
    return {
        "count": answer.customer_count,
        "told": say("more than {n} customers", n=count)
        if many
        else say.count(answer.customer_count, "{n} customer", "{n} customers"),
        "is_asked": answer.customers_asked,
        "checked": checked,
        "is_part": checked < answer.customer_count,
        "counts": [
            (
                say.number(each.customer_count),
                say.code(each.reason_code) if each.reason_code else "",
            )
            for each in answer.counts
        ],
        "first": [_known(each, customers, say) for each in answer.customers],
        "samples": [
            {
                "language": say.language_of(each.language_code),
                "code": each.language_code,
                "subject": each.subject,
                "body": each.body,
                "read": say.count(each.customer_count, "{n} of them reads this.", "{n} of them read this.")
                if each.customer_count
                else "",
            }
            for each in answer.samples
        ],
    }


def _known(name: str, customers: Mapping[str, Customer], say: Speech) -> tuple[str, str]:
    known = customers.get(name)
    return (name, known.display_name) if known else ("", say("nobody we know"))
