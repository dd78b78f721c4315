"""`/customers/{id}/known`: what is known of a customer, with what proves it; shown anew after each act."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.loading import ALL, PAGE_S, Names
from desk.pages.customer.route import UUID
from desk.pages.customer.things import attribute as called
from desk.pages.known import values, view
from desk.pages.services import Parts, ask, patience
from rapport.customer.v1.attribute_service_pb2 import (
    GetAttributeValueRequest,
    ListAttributeValuesRequest,
    ListAttributeValuesResponse,
    ListObservationsRequest,
)
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.relationship_service_pb2 import ListRelationshipsRequest, ListRelationshipsResponse

router = APIRouter()
RELATIONSHIPS_MAX = 100


@router.get("/customers/{uuid}/known")
async def known(look: Look, uuid: str) -> Response:
    """The page; of a merged customer that of the name that survives."""
    customer, cards = await _cards(look, uuid)
    if customer.name != f"customers/{uuid}":
        return RedirectResponse(f"/{customer.name}/known", 303)
    title = view.title(customer, look.say)
    return look.answer("pages/known/page.html", customer=customer.name, title=title, uuid=uuid, cards=cards)


@router.get("/known/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    """Every card as it is now."""
    _, cards = await _cards(look, uuid)
    return JSONResponse(message(f"known/{uuid}", cards, look.say.now))


@router.get("/customers/{uuid}/attributeValues/{attribute}/history")
async def history(look: Look, uuid: str, attribute: str) -> Response:
    """Everything that was said of one attribute, by whom and of when. A fragment for the panel."""
    services, names = look.services.attributes, Names(look.viewer, look.memory)
    customer = f"customers/{uuid}"
    asked = ListObservationsRequest(parent=customer, attribute=f"attributes/{attribute}")
    value, listed = await asyncio.gather(
        services.GetAttributeValue(GetAttributeValueRequest(name=f"{customer}/attributeValues/{attribute}")),
        services.ListObservations(asked),
    )
    await names.learn(look.services, {each.recorder for each in listed.observations}, PAGE_S)
    made = values.Values(customer, look.viewer, names, look.say)
    return look.answer(
        "pages/known/history.html",
        what=called(value, look.say),
        rows=made.history(listed.observations, value),
        more=bool(listed.next_page_token),
    )


async def _cards(look: Looking, uuid: str) -> tuple[Customer, dict[str, Card]]:
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    customer = await look.services.customers.GetCustomer(GetCustomerRequest(name=f"customers/{uuid}"))
    names = Names(look.viewer, look.memory)
    page = view.page(customer, await _asked(look, customer, names), look.viewer, names, look.say)
    made = macros("pages/known/cards.html", say=look.say, viewer=look.viewer)
    return customer, {name: card(getattr(made, name)(part)) for name, part in page.items()}


async def _asked(look: Looking, customer: Customer, names: Names) -> Parts:
    services, left = look.services, patience(PAGE_S)
    request = ListRelationshipsRequest(customer=customer.name, page_size=RELATIONSHIPS_MAX)
    kept = ListAttributeValuesRequest(parent=customer.name, page_size=ALL)
    verifiers = {each.verification.verifier for each in customer.identifiers}
    parts = await ask(
        left(),
        names=names.learn(services, verifiers, PAGE_S),
        relationships=services.relationships.ListRelationships(request),
        values=services.attributes.ListAttributeValues(kept),
    )
    listed = parts.of("relationships", ListRelationshipsResponse).relationships
    others = {name for each in listed for name in (each.customer, each.related_customer)}
    said = values.people(parts.of("values", ListAttributeValuesResponse).attribute_values)
    further = {"others": services.known(others), "people": names.learn(services, said, PAGE_S)}
    return Parts(parts | await ask(left(), **further))
