"""`/find/{id}/new`: somebody who was looked for and is not known yet becomes a customer."""

from typing import Annotated
from uuid import UUID, uuid4

import grpc
from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound, Refusal, invalid
from desk.language.catalogues import N_
from desk.pages.actions.drafts import Drafts
from desk.pages.base import Look, Looking
from desk.pages.find.view import Results
from desk.pages.services import refusal_of
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import CreateCustomerRequest
from rapport.customer.v1.identifier_pb2 import Identifier

router = APIRouter()
PERMISSION = "customer.customers.write"
PHONE_DIGITS = 5  # fewer are no number that somebody can be called at
_TYPES = {"phone": Identifier.TYPE_PHONE, "email": Identifier.TYPE_EMAIL}
_FIELDS = {"phone": "", "email": "", "given_name": "", "family_name": ""}
Typed = Annotated[str, Form(max_length=200)]


def may_make(look: Looking, results: Results) -> bool:
    """Whether a new customer is offered: nobody was found, and nothing that may know them was away."""
    return not results.hits and not results.troubles and look.viewer.may(PERMISSION)


@router.get("/find/{key}/new")
async def form(look: Look, key: UUID) -> Response:
    """What was typed is in its field already: nobody types it twice."""
    kept = await Drafts(look).get(f"find/{key}")
    if not kept:
        raise NotFound("find/…", N_("This search is not kept any more. Type it again."))
    return _form(look, key, _FIELDS | guessed(str(kept.get("q", ""))), str(uuid4()))


@router.post("/find/{key}/new")
async def made(
    look: Look,
    key: UUID,
    request_id: Annotated[str, Form()],
    given_name: Typed = "",
    family_name: Typed = "",
    phone: Typed = "",
    email: Typed = "",
) -> Response:
    """Their page, once for each form."""
    typed = {"phone": phone, "email": email, "given_name": given_name, "family_name": family_name}
    typed = {name: text.strip() for name, text in typed.items()}
    try:
        if not any(typed.values()):
            raise invalid("family_name", "REQUIRED", look.say("say at least a name, or how to reach them"))
        reached = [Identifier(type=_TYPES[each], value=typed[each]) for each in _TYPES if typed[each]]
        person = Person(given_name=typed["given_name"], family_name=typed["family_name"])
        new = Customer(person=person, identifiers=reached)
        request = CreateCustomerRequest(customer=new, request_id=request_id)
        customer = await look.services.customers.CreateCustomer(request)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else request_id
        return _form(look, key, typed, anew, refusal)
    return RedirectResponse(f"/{customer.name}", 303)


def guessed(typed: str) -> dict[str, str]:
    """The field that what was typed belongs into; of a name, the last word is the family's."""
    text = typed.strip()
    if "@" in text:
        return {"email": text}
    if sum(map(str.isdigit, text)) >= PHONE_DIGITS:
        return {"phone": text}
    if any(map(str.isdigit, text)):
        return {}
    given, _, family = text.rpartition(" ")
    return {"given_name": given, "family_name": family}


def _form(
    look: Looking, key: UUID, typed: dict[str, str], request_id: str, refusal: Refusal | None = None
) -> Response:
    status = 422 if refusal else 200
    return look.answer(
        "pages/find/new.html", status, typed=typed, key=key, request_id=request_id, refusal=refusal
    )
