"""What a form says of a message to many: which words, to which customers, and when."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from chassis.api.messages import timestamp
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.notice_policies import forms
from desk.pages.trying import Typed
from desk.pages.work.route import CODE
from desk.ui import words
from desk.ui.filters import day_of_year
from desk.ui.speech import Speech
from rapport.notifications.v1.notice_job_pb2 import NoticeJob

WHOM = ("region", "manager", "prospect", "birthday", "since")
FIELDS = (*WHOM, "first", "last", "rate", *forms.DELIVERY)  # beside these `v-{name}` for each variable
_REGION = re.compile(r"[A-Z]{2}")
_FIELD_OF = {"schedule_time": "first", "expire_time": "last", "rate_per_minute": "rate"}


def job_of(sent: Typed, say: Speech) -> NoticeJob:
    """The job as it was typed, for nobody's department yet.

    InvalidArgument for what is no day or number, and for a first day that is over.
    """
    template = sent.text("template")
    job = NoticeJob(
        template=template,
        kind=words.last(template),
        filter=_filter(sent, say),
        variables=variables(sent),
        rate_per_minute=sent.number("rate"),
    )
    if (delivery := forms.strategy_of(sent)).ByteSize():
        job.delivery.CopyFrom(delivery)
    first, last = _day(sent, "first"), _day(sent, "last")
    if first and first < say.today:
        raise invalid("first", "INVALID_TIME", N_("must be today or later"))
    if first and first > say.today:
        job.schedule_time.CopyFrom(timestamp(_begins(first, say)))
    if last:
        job.expire_time.CopyFrom(timestamp(_begins(last + timedelta(days=1), say)))
    return job


def variables(sent: Typed) -> dict[str, str]:
    """What the words are given; what is empty is not."""
    given = {name: sent.text(name) for name in sent.fields if name.startswith("v-")}
    return {name.removeprefix("v-"): text for name, text in given.items() if text}


def field_of(wrong: str) -> str:
    """The field of the form: `notice_job.variables[depot]` is `v-depot`."""
    path = wrong.removeprefix("notice_job.")
    return _FIELD_OF.get(path) or forms.field_of(path)


def _filter(sent: Typed, say: Speech) -> str:
    """For `ListCustomers`; empty for all."""
    region, manager = sent.text("region").upper(), sent.text("manager")
    if region and not _REGION.fullmatch(region):
        raise invalid("region", "INVALID_CODE", N_("must be a country such as DE"))
    if manager and not CODE.fullmatch(manager):
        raise invalid("manager", "INVALID_CODE", N_("must be one of those that the form has"))
    birthday = sent.text("birthday")
    if birthday and day_of_year(birthday) is None:
        raise invalid("birthday", "INVALID_TIME", N_("must be a month and a day, such as 03-14"))
    since = _day(sent, "since")
    terms: Mapping[str, str] = {
        f'region_code = "{region}"': region,
        f'relationship_manager = "agents/{manager}"': manager,
        f"prospect = {'true' if sent.text('prospect') == 'yes' else 'false'}": sent.text("prospect"),
        f'birthday = "{birthday}"': birthday,
        f'create_time >= "{_begins(since, say).isoformat() if since else ""}"': sent.text("since"),
    }
    return " AND ".join(term for term, said in terms.items() if said)


def _day(sent: Typed, name: str) -> date | None:
    if not (text := sent.text(name)):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(name, "INVALID_TIME", N_("must be a day such as 2026-12-24")) from None


def _begins(day: date, say: Speech) -> datetime:
    """When a day begins where the reader is."""
    return datetime.combine(day, time(), say.zone)
