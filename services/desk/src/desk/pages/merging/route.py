"""`/customers/{id}/same/{other}`: two records side by side, to be made one.

`/customers/{id}/merges/{merge}` is what was recorded while they were.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

import grpc
from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound, Refusal, invalid
from desk.pages.actions.kinds.merges import SAME
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.entries import entries
from desk.pages.customer.loading import Names, named
from desk.pages.customer.route import UUID
from desk.pages.customer.things import things
from desk.pages.find.searching import PATIENCE_S
from desk.pages.merging.assigning import Assigning
from desk.pages.merging.comparing import older_of, questions, rows, sides
from desk.pages.services import ask, patience, refusal_of
from desk.pages.timeline.route import Further
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_merge_service_pb2 import (
    CreateCustomerMergeRequest,
    GetCustomerMergeRequest,
    ListCustomerMergeEntriesRequest,
    ListCustomerMergeEntriesResponse,
)
from rapport.customer.v1.customer_pb2 import Customer

router = APIRouter()
REASONS = ("same-person", "entered-twice", "customer-told-us")
COMMENT_MAX = 1000
PAGE = 50


@router.get("/customers/{uuid}/same/{other}")
async def compared(look: Look, uuid: str, other: str) -> Response:
    look.require(SAME.permission)
    return await _compared(look, uuid, other, {"survivor": "", "reason": "", "comment": ""}, str(uuid4()))


@router.post("/customers/{uuid}/same/{other}")
async def merged(
    look: Look,
    uuid: str,
    other: str,
    request_id: Annotated[str, Form()],
    survivor: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    comment: Annotated[str, Form()] = "",
) -> Response:
    """The page of the one whom they are, once for each form."""
    look.require(SAME.permission)
    pair = {f"customers/{uuid}", f"customers/{other}"}
    try:
        if survivor not in pair or reason not in REASONS:
            raise invalid("reason", "REQUIRED", look.say("say whose record stays, and why they are one"))
        (led_on,) = pair - {survivor}
        merge = CustomerMerge(customer=survivor, merged_customer=led_on, reason_code=reason, comment=comment)
        request = CreateCustomerMergeRequest(customer_merge=merge, request_id=request_id)
        await look.services.merges.CreateCustomerMerge(request)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else request_id
        typed = {"survivor": survivor, "reason": reason, "comment": comment}
        return await _compared(look, uuid, other, typed, anew, refusal)
    return RedirectResponse(f"/{survivor}", 303)


async def _compared(
    look: Looking,
    uuid: str,
    other: str,
    typed: Mapping[str, str],
    request_id: str,
    refusal: Refusal | None = None,
) -> Response:
    """Both; the page of the one when they are one already, which says since when and by whom."""
    if not (UUID.fullmatch(uuid) and UUID.fullmatch(other)):
        raise NotFound("customers/…")
    asked, left = [f"customers/{uuid}", f"customers/{other}"], patience(PATIENCE_S)
    known = await look.services.known(asked)
    if missing := [each for each in asked if each not in known]:
        raise NotFound(missing[0])
    pair = [known[each] for each in asked]
    if pair[0].name == pair[1].name:
        return RedirectResponse(f"/{pair[0].name}", 303)
    names = Names(look.viewer, look.memory)
    learned = names.learn(look.services, {each.relationship_manager for each in pair}, left())
    parts = await ask(left(), names=learned, **questions(look.services, [each.name for each in pair]))
    return look.answer(
        "pages/merging/page.html",
        422 if refusal else 200,
        sides=sides(pair, look.say),
        of_two_types={each.WhichOneof("type") for each in pair} == {"person", "organization"},
        rows=rows(pair, parts, names, look.say),
        typed={**typed, "survivor": typed["survivor"] or older_of(pair).name},
        reasons=look.say.choices(REASONS),
        comment_max=COMMENT_MAX,
        request_id=request_id,
        refusal=refusal,
    )


@router.get("/customers/{uuid}/merges/{merge}")
async def meanwhile(look: Look, uuid: str, merge: str, after: str = "") -> Response:
    """What was recorded while the two were one, under the name that stayed: of whom it is, somebody says."""
    found, page = await _meanwhile(look, uuid, merge, after)
    if look.is_fragment:
        return look.answer("pages/timeline/rows.html", page=page)
    entries_card = _card(look, page, found)
    return look.answer("pages/merging/meanwhile.html", page=page, card=entries_card, of=f"{uuid}/{merge}")


@router.get("/merges/{uuid}/{merge}/cards")
async def fresh_cards(look: Look, uuid: str, merge: str) -> JSONResponse:
    """Its first page as it is now."""
    found, page = await _meanwhile(look, uuid, merge, "")
    cards = {"meanwhile": _card(look, page, found)}
    return JSONResponse(message(f"merges/{uuid}/{merge}", cards, look.say.now))


def _card(look: Looking, page: Mapping[str, Any], merge: CustomerMerge) -> Card:
    made = macros("pages/merging/cards.html", say=look.say, viewer=look.viewer)
    return card(made.meanwhile(page, merge.state == CustomerMerge.STATE_UNDONE))


async def _meanwhile(
    look: Looking, uuid: str, merge: str, after: str
) -> tuple[CustomerMerge, Mapping[str, Any]]:
    if not (UUID.fullmatch(uuid) and UUID.fullmatch(merge)):
        raise NotFound("customerMerges/…")
    services, name, left = look.services, f"customerMerges/{merge}", patience(PATIENCE_S)
    found = await services.merges.GetCustomerMerge(GetCustomerMergeRequest(name=name))
    request = ListCustomerMergeEntriesRequest(parent=name, page_size=PAGE, page_token=after)
    listing = services.merges.ListCustomerMergeEntries(request)
    parts = await ask(left(), listed=listing, **named(services, found.customer))
    if refusal := parts["listed"].refusal:
        raise refusal
    listed = parts.of("listed", ListCustomerMergeEntriesResponse).timeline_entries
    names = Names(look.viewer, look.memory)
    learned = names.learn(services, {each.actor for each in listed}, left())
    people = services.known(each.assigned_customer for each in listed)
    further = await ask(left(), names=learned, people=people)
    made = Assigning(found, look.viewer, further.of("people", dict[str, Customer]), look.say)
    here = f"/customers/{uuid}/merges/{merge}"
    token = parts.of("listed", ListCustomerMergeEntriesResponse).next_page_token
    return found, {
        "name": found.customer,
        "title": parts.of("customer", Customer).display_name or look.say("A customer"),
        "entries": made.lines(entries(listed, names, look.say, things(parts, look.say)), listed),
        "further": Further(f"{here}?{urlencode({'after': token})}", here, PAGE) if token else None,
    }
