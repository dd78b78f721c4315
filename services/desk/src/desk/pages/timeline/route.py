"""`/customers/{id}/timeline`: everything that happened; each choice a URL, each page one list request."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Look
from desk.pages.customer.loading import PAGE_S, Names, named
from desk.pages.customer.route import UUID
from desk.pages.services import Patience, ask
from desk.pages.timeline.choosing import chosen
from desk.pages.timeline.view import PAGE, timeline
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest, ListTimelineEntriesResponse

router = APIRouter()
SHOWN_MAX = 1000  # Back shows as much again, up to this
Shown = Annotated[int, Query(ge=0)]


@router.get("/customers/{uuid}/timeline")
async def everything(look: Look, uuid: str, shown: Shown = PAGE, after: str = "") -> Response:
    """The page, or what comes after a part of it."""
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    patience = Patience(PAGE_S)
    name, what = f"customers/{uuid}", chosen(look.request.query_params)
    size = PAGE if after else min(max(shown, PAGE), SHOWN_MAX)
    request = ListTimelineEntriesRequest(
        parent=name, page_size=size, page_token=after, filter=what.filter(look.say.zone)
    )
    listing = look.services.timeline.ListTimelineEntries(request)
    parts = await ask(patience.left(), timeline=listing, **named(look.services, name))
    for part in (parts["timeline"], parts["customer"]):
        if part.refusal and (look.is_fragment or not part.away):
            raise part.refusal
    survivor = parts.of("customer", Customer).name
    if survivor not in ("", name):  # merged: the name that survives
        return RedirectResponse(what.url(survivor), 303)
    names = Names(look.viewer, look.memory)
    actors = {each.actor for each in parts.of("timeline", ListTimelineEntriesResponse).timeline_entries}
    await names.learn(look.services, actors, patience.left())
    page = timeline(name, what, parts, shown if after else 0, names, look.say)
    template = "rows" if look.is_fragment else "page"
    return look.answer(f"pages/timeline/{template}.html", page=page)
