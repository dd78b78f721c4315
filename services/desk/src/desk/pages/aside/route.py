"""What opens beside a page.

- `/why?of=promises/...`: the reason in words, the rule, what it looked at, the chain of causes;
- `/notices/{id}/message`: what a message to a customer said;
- `/customers/{id}/identifiers/{id}/reveal`: asks what for, then shows a masked value;
- `/keys`: what each key does, where.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis.api.messages import moment, value_name
from chassis.context import current_call
from chassis.errors import NotFound, invalid
from desk.language.catalogues import N_
from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.kinds.notice import rendered
from desk.pages.aside.explaining import explained
from desk.pages.base import Look
from rapport.customer.v1.customer_service_pb2 import GetIdentifierRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

router = APIRouter()
PURPOSES: Mapping[str, str] = {
    "call": N_("I call or write to them now"),
    "identity-check": N_("I make sure that it is them"),
    "correction": N_("It may be wrong"),
    "complaint": N_("They complained"),
}
ACTION_KEYS = {
    each.letter: each.label for each in sorted(ACTIONS.values(), key=lambda each: each.letter) if each.letter
}
# By the page that has it: what is no action on a customer does the like wherever there is such a thing.
KEYS: Mapping[str, Mapping[str, str]] = {
    N_("Everywhere"): {
        "Ctrl K": N_("Find a customer"),
        "Ctrl Enter": N_("Send the form"),
        "Esc": N_("Close what is open, and go back to where you were"),
        "H, ?": N_("All keys"),
    },
    N_("A customer, and my work"): {
        **ACTION_KEYS,
        "C": N_("Call the customer: shows the number"),
        "Q": N_("Take the next"),
        "Z": N_("Undo, while it is offered"),
    },
    N_("Lists"): {"V": N_("Show more")},
    N_("Jobs over many cases"): {
        "L": N_("Find a case, on the page of cases"),
        "Y": N_("See whom it concerns, then do it"),
        "X": N_("Stop it"),
    },
    N_("Messages to many"): {
        "Y": N_("See whom it concerns, then write to them; let it go on"),
        "X": N_("Pause it"),
    },
    N_("To assign"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look for somebody"),
        "Y": N_("Try again"),
        "X": N_("Drop"),
    },
    N_("Same person?"): {
        "L": N_("Look at the first"),
        "1": N_("They are one person"),
        "2-6": N_("They are two persons, for the reason on the button"),
        "Y": N_("Ask again about two who were said to be two"),
        "V": N_("The next one"),
    },
    N_("A call"): {
        "C": N_("Call the customer: shows the number"),
        "1-6": N_("What became of it, as the button says"),
    },
    N_("A message to a customer"): {"X": N_("Take it back: it is not sent")},
    N_("Operations"): {
        "1-9": N_("Choose the first, second, third..."),
        "L": N_("Look at what needs somebody first"),
        "Y": N_("Replay"),
        "X": N_("Drop"),
    },
}


@router.get("/why")
async def why(look: Look, of: str) -> Response:
    """The explanation, as a fragment for the panel."""
    told = await look.services.explain(of)
    if told is None:
        raise NotFound(of)
    return look.answer("pages/aside/why.html", told=told, **await explained(look, told))


@router.get("/notices/{notice}/message")
async def message(look: Look, notice: str) -> Response:
    """Its subject and text, made of what it was made of. A fragment for the panel."""
    services = look.services
    told = await services.notices.GetNotice(GetNoticeRequest(name=f"notices/{notice}"))
    said = told.template, told.variables, told.language_code, told.case
    text = await rendered(services, told.customer, *said)
    sent = look.say.moment(moment(told.send_time)) if told.HasField("send_time") else ""
    is_as_sent = sha256(f"{text.subject}\n\n{text.body}".encode()).hexdigest() == told.content_hash
    is_other = told.content_hash != "" and not is_as_sent
    return look.answer("pages/aside/message.html", text=text, sent=sent, is_other=is_other)


@router.get("/customers/{uuid}/identifiers/{identifier}/reveal")
async def reveal(look: Look, uuid: str, identifier: str) -> Response:
    """What for."""
    action = look.request.url.path
    asked_for = [(code, look.say(told)) for code, told in PURPOSES.items()]
    return look.answer("pages/aside/reveal.html", action=action, purposes=asked_for, value="", href="")


@router.post("/customers/{uuid}/identifiers/{identifier}/reveal")
async def revealed(look: Look, request: Request, uuid: str, identifier: str) -> Response:
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
    return look.answer("pages/aside/reveal.html", 200, {"X-Form": "1"}, **told)


@router.get("/keys")
async def keys(look: Look) -> Response:
    """All of them: as a fragment for the panel, or as a page."""
    return look.answer(f"pages/aside/{'keys' if look.is_fragment else 'keys_page'}.html", pages=KEYS)
