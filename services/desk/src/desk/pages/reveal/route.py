"""`/customers/{id}/identifiers/{id}/reveal`: asks what for, then shows it."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis.api.messages import value_name
from chassis.context import current_call
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.base import Look
from rapport.customer.v1.customer_service_pb2 import GetIdentifierRequest

router = APIRouter()
PURPOSES: Mapping[str, str] = {
    "call": N_("I call or write to them now"),
    "identity-check": N_("I make sure that it is them"),
    "correction": N_("It may be wrong"),
    "complaint": N_("They complained"),
}


@router.get("/customers/{uuid}/identifiers/{identifier}/reveal")
async def asked(look: Look, uuid: str, identifier: str) -> Response:
    """What for."""
    action = look.request.url.path
    asked_for = [(code, look.say(told)) for code, told in PURPOSES.items()]
    return look.answer("pages/reveal/reveal.html", action=action, purposes=asked_for, value="", href="")


@router.post("/customers/{uuid}/identifiers/{identifier}/reveal")
async def shown(look: Look, request: Request, uuid: str, identifier: str) -> Response:
    """The value, read for the purpose, which the customer service audits."""
    purpose = str((await request.form()).get("purpose", ""))
    if purpose not in PURPOSES:
        raise invalid("purpose", "INVALID_CODE", f"must be one of {', '.join(PURPOSES)}")
    current_call.set(replace(current_call.get(), purpose=purpose))
    name = f"customers/{uuid}/identifiers/{identifier}"
    found = await look.services.customers.GetIdentifier(GetIdentifierRequest(name=name))
    value = found.normalized_value or found.value
    scheme = {"PHONE": "tel", "EMAIL": "mailto"}.get(value_name(found, "type"), "")
    href = f"{scheme}:{value}" if scheme else ""
    told = {"action": "", "purposes": [], "value": value, "href": href}
    return look.answer("pages/reveal/reveal.html", 200, {"X-Form": "1"}, **told)
