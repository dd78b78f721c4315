"""`/customers/{id}/timeline`: a page at a time; the next takes the place of its button."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Look
from desk.pages.calls import ask
from desk.pages.customer.entries import entries
from desk.pages.customer.loading import LIVE_S, Names, agents_of
from desk.pages.customer.route import UUID
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest

router = APIRouter()
PAGE = 100


@router.get("/customers/{uuid}/timeline")
async def timeline(look: Look, uuid: str, after: str = "") -> Response:
    """A page of it; as a fragment its lines alone.

    Args:
        look: who looks.
        uuid: of the customer.
        after: the page token; empty for the newest.

    """
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    name, services = f"customers/{uuid}", look.services
    request = ListTimelineEntriesRequest(parent=name, page_size=PAGE, page_token=after)
    parts = await ask(
        LIVE_S,
        timeline=services.timeline.ListTimelineEntries(request),
        customer=services.customers.GetCustomer(GetCustomerRequest(name=name)),
    )
    if refusal := parts["timeline"].refusal:
        raise refusal
    answered, known = parts.of("timeline"), parts.of("customer")
    names = Names(look.viewer, look.memory)
    await names.learn(services, agents_of(answered.timeline_entries), LIVE_S)
    told = {
        "customer": name,
        "title": known.display_name if known else "",
        "entries": entries(answered.timeline_entries, names, look.say),
        "following": answered.next_page_token,
    }
    if look.is_fragment:
        return HTMLResponse(look.html("pages/timeline/lines.html", **told))
    return look.answer("pages/timeline/page.html", **told)
