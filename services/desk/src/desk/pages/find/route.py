"""`/find`: who it is, or who becomes a customer; `/call`: who calls.

What is typed is personal: the desk keeps it, and no URL has it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID, uuid4

import grpc
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound, Refusal, invalid
from desk.language.catalogues import N_
from desk.pages.actions.drafts import Drafts
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import Names
from desk.pages.find.searching import MOST, PATIENCE_S, Asked, Results, classify, results_of, search, unasked
from desk.pages.services import patience, refusal_of
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import CreateCustomerRequest, SearchCustomersResponse
from rapport.customer.v1.identifier_pb2 import Identifier

router = APIRouter()
OFFERED, PAGE, PAGE_MAX = 8, 20, 100
Shown = Annotated[int, Query(ge=1)]
PERMISSION = "customer.customers.write"
PHONE_DIGITS = 5  # fewer are no number that somebody can be called at
_TYPES = {"phone": Identifier.TYPE_PHONE, "email": Identifier.TYPE_EMAIL}
_FIELDS = {"phone": "", "email": "", "given_name": "", "family_name": ""}
Typed = Annotated[str, Form(max_length=200)]


@router.post("/find")
async def asked(look: Look, request: Request) -> Response:
    """While somebody types, a few; then the page of who is meant, or of who may be."""
    typed = str((await request.form()).get("q", ""))
    if look.is_fragment:
        return look.answer("pages/find/offered.html", results=await _found(look, typed, OFFERED))
    return await _led(look, typed, {})


@router.get("/find/{key}")
async def shown(look: Look, key: UUID, shown: Shown = PAGE, after: str = "") -> Response:
    """The page of a search, made anew: Back finds it, as far as it was read."""
    kept = await _kept(look, key)
    typed, call = str(kept.get("q", "")), str(kept.get("call", ""))
    size = PAGE if after else min(shown, PAGE_MAX)
    results = await _found(look, typed, size, after, is_call=bool(call), is_shown=True)
    told: dict[str, Any] = {"results": results, "key": key, "read": shown + PAGE if after else size + PAGE}
    if look.is_fragment:
        return look.answer("pages/find/rows.html", **told)
    return look.answer(
        "pages/find/page.html",
        query=typed[:MOST],
        call=call,
        to=str(kept.get("to", "")),
        # Nobody was found, and nothing that may know them was away.
        may_make=not results.hits and not results.troubles and look.viewer.may(PERMISSION),
        **told,
    )


@router.get("/find/{key}/new")
async def form(look: Look, key: UUID) -> Response:
    """What was typed is in its field already: nobody types it twice."""
    kept = await _kept(look, key)
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


@router.get("/call")
async def called(look: Look, request: Request) -> Response:
    """What a telephone system opens: the page of who calls, or whom we call, or the choice among several."""
    caller, callee = (_number(request.query_params.get(each, "")) for each in ("from", "to"))
    how = {"call": "1", "to": callee[:MOST]}
    if callee:
        results = await _found(look, caller, 1, is_call=True)
        if not results.hits and not results.troubles and (await _found(look, callee, 1, is_call=True)).hits:
            return await _led(look, callee, {"call": "out"})  # we call them, from a number of ours
    return await _led(look, caller, how)


def _number(text: str) -> str:
    """A number of a URL: a plus that was not encoded is one."""
    return f"+{text.strip()}" if text[:1] == " " else text


async def _led(look: Looking, typed: str, how: Mapping[str, str]) -> Response:
    """To who is meant, of a call for sure; else to the page that says who may be."""
    results = await _found(look, typed, PAGE, is_call="call" in how)
    if found := results.sure if "call" in how else results.only:
        return RedirectResponse(f"/{found}", 303)
    key = uuid4()
    await Drafts(look).put(f"find/{key}", {"q": typed[: MOST + 1], **how})
    return RedirectResponse(f"/find/{key}", 303)


async def _found(
    look: Looking, typed: str, size: int, after: str = "", *, is_call: bool = False, is_shown: bool = False
) -> Results:
    if is_call and not any(map(str.isdigit, typed)):
        return Results(words=look.say("The number is withheld: ask who it is, and find them above."))
    if told := unasked(typed, look.say):
        return told
    meant = Asked(typed.strip()) if is_call else classify(typed)
    left = patience(PATIENCE_S)
    parts = await search(look.services, meant, size, after, is_call=is_call)
    names = Names(look.viewer, look.memory)
    found = parts.of("customers", SearchCustomersResponse).matches
    if is_shown and found:
        managers = {each.customer.relationship_manager for each in found}
        await names.learn(look.services, managers, left())
    results = results_of(meant, parts, names, look.say)
    if is_call and not results.hits and not results.troubles:
        return replace(results, words=look.say("Nobody whom we know has this number: ask who it is."))
    return results


async def _kept(look: Looking, key: UUID) -> Mapping[str, Any]:
    """What was typed for a search. NotFound."""
    if kept := await Drafts(look).get(f"find/{key}"):
        return kept
    raise NotFound("find/…", N_("This search is not kept any more. Type it again."))


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
