"""`/customers/{id}/timeline`: everything that happened; each choice a URL, each page one list request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NoReturn
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from chassis.api.messages import moment, timestamp, value_name
from chassis.errors import NotFound, invalid
from desk.pages.base import Look
from desk.pages.customer.entries import Entry, entries
from desk.pages.customer.loading import PAGE_S, Names, cases_of, named
from desk.pages.customer.route import UUID
from desk.pages.customer.things import things
from desk.pages.services import Parts, ask, patience
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.attachment_service_pb2 import DownloadAttachmentRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest, ListTimelineEntriesResponse

router = APIRouter()
PAGE = 50
FILE_S = 10.0  # a file takes longer than a page
SHOWN_MAX = 1000  # Back shows as much again, up to this
Shown = Annotated[int, Query(ge=0)]
KINDS: Mapping[str, Sequence[str]] = {
    "contacts": ["customer.v1.InteractionRecorded"],
    "promises": [
        f"cases.v1.Promise{each}"
        for each in (
            "Made",
            "AtRisk",
            "Recovered",
            "DelayNotified",
            "Renegotiated",
            "Kept",
            "Broken",
            "Withdrawn",
        )
    ],
    "purchases": ["loyalty.v1.PurchaseRecorded", "loyalty.v1.PurchaseCorrected"],
    "cases": [
        *(f"cases.v1.Case{each}" for each in ("Opened", "Assigned", "Updated", "Resolved", "Reopened")),
        "cases.v1.NoteCreated",
        *(
            f"cases.v1.WorkItem{each}"
            for each in ("Created", "Updated", "Assigned", "Forecast", "Started", "Blocked", "Unblocked")
        ),
        *(f"cases.v1.WorkItem{each}" for each in ("HandedOver", "Finished")),
    ],
    "messages": [
        f"notifications.v1.Notice{each}" for each in ("Requested", "Suppressed", "Sent", "Unknown", "Failed")
    ],
    "goodwill": ["loyalty.v1.GoodwillGranted", "loyalty.v1.GoodwillReversed"],
}
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CASE = re.compile(r"cases/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAYS = date(1970, 1, 1), date(9000, 1, 1)


@dataclass(frozen=True)
class Chosen:
    """What is looked at; what is empty lets everything pass."""

    kind: str = ""  # one of `KINDS`
    channel: str = ""  # one of `words.CHANNELS`
    department: str = ""  # its code
    case: str = ""  # `cases/{uuid}`
    since: str = ""  # the first day and the last, as ISO 8601 has them
    until: str = ""

    @property
    def told(self) -> Mapping[str, str]:
        """What is chosen, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def url(self, customer: str, **more: str) -> str:
        """Of a page that shows this, with more parameters."""
        return f"/{customer}/timeline?{urlencode({**self.told, **more})}".rstrip("?")

    def toggled(self, name: str, value: str) -> "Chosen":
        """With a value chosen; without, when it was."""
        return replace(self, **{name: "" if getattr(self, name) == value else value})

    def filter(self, zone: ZoneInfo) -> str:
        """For `ListTimelineEntries`. Days are those of a zone, the last one to its end."""
        types = " OR ".join(f'event_type = "rapport.{each}"' for each in KINDS.get(self.kind, ()))
        terms = [
            types and f"({types})",
            self.channel and f"channel = {words.CHANNELS[self.channel]}",
            self.department and f'department = "departments/{self.department}"',
            self.case and f'resource = "{self.case}"',
            self.since and f'occur_time >= "{_begin(self.since, zone)}"',
            self.until and f'occur_time < "{_begin(self.until, zone, timedelta(days=1))}"',
        ]
        return " AND ".join(filter(None, terms))


def chosen(params: Mapping[str, str]) -> Chosen:
    """What a URL asks for. InvalidArgument for what cannot be."""
    asked = Chosen(**{name: params.get(name, "").strip() for name in asdict(Chosen())})
    if asked.kind and asked.kind not in KINDS:
        _refuse("kind", f"must be one of {', '.join(KINDS)}")
    if asked.channel and asked.channel not in words.CHANNELS:
        _refuse("channel", f"must be one of {', '.join(words.CHANNELS)}")
    if asked.department and not _CODE.fullmatch(asked.department):
        _refuse("department", "must be a code such as delivery")
    if asked.case and not _CASE.fullmatch(asked.case):
        _refuse("case", "must be a case, cases/ and its id")
    for name, value in (("since", asked.since), ("until", asked.until)):
        if value and not _is_day(value):
            _refuse(name, "must be a day such as 2026-03-01, from 1970 on")
    return asked


def _refuse(name: str, allowed: str) -> NoReturn:
    raise invalid(name, "INVALID_FILTER", allowed)


def _is_day(value: str) -> bool:
    try:
        return _DAYS[0] <= date.fromisoformat(value) < _DAYS[1]
    except ValueError:
        return False


def _begin(day: str, zone: ZoneInfo, later: timedelta = timedelta()) -> str:
    """When a day begins in a zone."""
    begins = datetime.combine(date.fromisoformat(day) + later, time(), zone)
    return timestamp(begins).ToJsonString()


@dataclass(frozen=True)
class Chip:
    """A choice: where it leads, what it says, and whether it is made."""

    href: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Further:
    """What is not shown yet."""

    href: str  # brings it, as a part of the page
    here: str  # the page that shows as much
    shown: int  # how many entries there are before it


@dataclass(frozen=True)
class Timeline:
    """The page."""

    name: str  # of the customer
    title: str
    chosen: Chosen
    chips: Mapping[str, Sequence[Chip]]
    entries: Sequence[Entry]
    trouble: str  # why nothing is shown
    nothing: str  # what is said when nothing is there
    further: Further | None  # what comes after the entries, if anything


def timeline(name: str, chosen: Chosen, parts: Parts, before: int, names: Names, say: Speech) -> Timeline:
    """What is to be said of a customer's timeline, of which `before` entries are shown already."""
    answered, is_answered = parts.of("timeline", ListTimelineEntriesResponse), parts.has("timeline")
    listed, token = answered.timeline_entries, answered.next_page_token
    nothing = say("Nothing like this happened.") if chosen.told else say("Nothing happened yet.")
    shown, further, known = before + len(listed), None, things(parts, say)
    if token:
        after = chosen.url(name, after=token, shown=str(shown))
        further = Further(after, chosen.url(name, shown=str(shown + PAGE)), shown)
    return Timeline(
        name=name,
        title=parts.of("customer", Customer).display_name if parts.has("customer") else say("A customer"),
        chosen=chosen,
        chips=_chips(name, chosen, listed, bool(token), known, say),
        entries=entries(listed, names, say, known),
        trouble="" if is_answered else say("Customer does not answer; look again in a moment."),
        nothing="" if listed or not is_answered else nothing,
        further=further,
    )


def _chips(
    name: str, chosen: Chosen, listed: Sequence[Any], more: bool, known: Mapping[str, str], say: Speech
) -> Mapping[str, Sequence[Chip]]:
    """The choices; of departments and cases those that are named, and the chosen one.

    Where all there is is shown, what would give nothing is no choice.
    """
    departments = {words.last(each.department) for each in listed} | {chosen.department}
    kinds, channels = list(KINDS), list(words.CHANNELS)
    if not chosen.told and not more:
        types = {each.event_type.removeprefix("rapport.") for each in listed}
        spoken = {words.spoken(value_name(each, "channel")) for each in listed}
        kinds = [each for each in kinds if types & {*KINDS[each]}]
        channels = [each for each in channels if each in spoken]
    offered = {"kind": kinds, "channel": channels, "department": sorted(departments - {""})}
    chips = {
        field: [
            Chip(replace(chosen, **{field: ""}).url(name), say("Everything"), not getattr(chosen, field)),
            *(_chip(name, chosen, field, each, say.titled(each)) for each in values),
        ]
        for field, values in offered.items()
        if values
    }
    cases = {chosen.case: say("One case")} if chosen.case else {}
    for each in listed:  # the oldest comes last, and says when it began
        if each.resource.startswith("cases/"):
            title = known.get(each.resource) or say.titled(each.topic or "case")
            cases[each.resource] = f"{title}, {say.short(moment(each.occur_time))}"
    chips["case"] = [_chip(name, chosen, "case", case, label) for case, label in cases.items()]
    return chips


def _chip(name: str, chosen: Chosen, field: str, value: str, label: str) -> Chip:
    return Chip(chosen.toggled(field, value).url(name), label, getattr(chosen, field) == value)


@router.get("/customers/{uuid}/timeline")
async def everything(look: Look, uuid: str, shown: Shown = PAGE, after: str = "") -> Response:
    """The page, or what comes after a part of it."""
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    left = patience(PAGE_S)
    name, what = f"customers/{uuid}", chosen(look.request.query_params)
    size = PAGE if after else min(max(shown, PAGE), SHOWN_MAX)
    request = ListTimelineEntriesRequest(
        parent=name, page_size=size, page_token=after, filter=what.filter(look.say.zone)
    )
    listing = look.services.timeline.ListTimelineEntries(request)
    parts = await ask(
        left(), timeline=listing, **named(look.services, name), cases=cases_of(look.services, name)
    )
    for part in (parts["timeline"], parts["customer"]):
        if part.refusal and (look.is_fragment or not part.away):
            raise part.refusal
    survivor = parts.of("customer", Customer).name
    if survivor not in ("", name):  # merged: the name that survives
        return RedirectResponse(what.url(survivor), 303)
    names = Names(look.viewer, look.memory)
    actors = {each.actor for each in parts.of("timeline", ListTimelineEntriesResponse).timeline_entries}
    await names.learn(look.services, actors, left())
    page = timeline(name, what, parts, shown if after else 0, names, look.say)
    template = "rows" if look.is_fragment else "page"
    return look.answer(f"pages/timeline/{template}.html", page=page)


@router.get("/customers/{uuid}/attachments/{key}")
async def attached(look: Look, uuid: str, key: str) -> Response:
    """A file that came with a contact: to be kept, and never to be shown as a page of ours."""
    if not (UUID.fullmatch(uuid) and UUID.fullmatch(key)):
        raise NotFound("customers/…")
    request = DownloadAttachmentRequest(name=f"customers/{uuid}/attachments/{key}")
    had = await look.services.attachments.DownloadAttachment(request, timeout=FILE_S)
    name = quote(had.attachment.display_name, safe="")
    told = {
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "no-store",
    }
    return Response(had.content, media_type=had.attachment.media_type, headers=told)
