"""`/customers/{id}/pages`: what a customer sees by their link, in their language; and taking links back.

Asked with the token of whoever looks: what they may not see is not here either, and the audit has them.
"""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import NotFound
from desk.pages.actions.kinds.links import REVOKE
from desk.pages.actions.offering import offered
from desk.pages.base import Look
from desk.pages.customer.route import UUID
from desk.pages.customer.things import thing_of
from desk.pages.selfservice.loading import find
from desk.pages.selfservice.view import shown
from desk.ui.speech import speech
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

router = APIRouter()


@router.get("/customers/{uuid}/pages")
async def pages(look: Look, uuid: str) -> Response:
    """What is kept under this very name, as they see it."""
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    name = f"customers/{uuid}"
    customer, found = await asyncio.gather(
        look.services.customers.GetCustomer(GetCustomerRequest(name=name)),
        find(look.services, name, look.say.now),
    )
    preferred = f"{customer.language_code},{look.request.headers.get('accept-language', '')}"
    theirs = speech(preferred, customer.effective_time_zone, look.say.now)
    return look.answer(
        "pages/selfservice/page.html",
        customer=name,
        title=thing_of(customer, look.say),
        theirs=theirs,
        page=shown(found, theirs),
        acts=offered(look.viewer, name, REVOKE),
    )
