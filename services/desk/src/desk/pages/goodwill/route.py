"""`/goodwill`: what colleagues ask for and may not give alone, for who has more authority."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from chassis.api.actors import actor_name
from chassis.api.messages import moment
from desk.pages.actions.kinds.goodwill_requests import APPROVE, DECLINE
from desk.pages.actions.offering import Act, offered
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.gifts import said
from desk.pages.customer.loading import Names
from desk.pages.services import ask
from rapport.loyalty.v1.goodwill_pb2 import Goodwill
from rapport.loyalty.v1.goodwill_service_pb2 import ListGoodwillRequest, ListGoodwillResponse

router = APIRouter()
LISTED, COUNTED, COUNT_S = 200, 50, 2.0


@dataclass(frozen=True)
class Line:
    """Something that is asked for."""

    name: str
    customer: str
    what: str
    why: str
    explanation: str
    who: str
    since: str
    until: str
    acts: Sequence[Act]  # none of what the viewer asked for


@router.get("/goodwill")
async def waiting(look: Look) -> Response:
    """The page, what ends first at the top; shown anew after each decision."""
    return look.answer("pages/goodwill/page.html", cards=await _cards(look))


@router.get("/goodwill/cards")
async def fresh_cards(look: Look) -> JSONResponse:
    """The card as it is now."""
    return JSONResponse(message("goodwill", await _cards(look), look.say.now))


async def _cards(look: Looking) -> dict[str, Card]:
    look.require("loyalty.goodwill.read")
    asked = ListGoodwillRequest(filter="state = REQUESTED", page_size=LISTED)
    listed = await look.services.goodwill.ListGoodwill(asked)
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, {each.requester for each in listed.goodwill})
    found = sorted(listed.goodwill, key=lambda each: moment(each.expire_time))
    lines = [_line(each, names, look) for each in found]
    made = macros("pages/goodwill/cards.html", say=look.say, viewer=look.viewer)
    return {"asked": card(made.asked(lines, bool(listed.next_page_token)))}


@router.get("/goodwill/count")
async def count(look: Look) -> Response:
    """How many wait, for the bar; nothing when none does, or nobody can tell."""
    asked = ListGoodwillRequest(filter="state = REQUESTED", page_size=COUNTED)
    parts = await ask(COUNT_S, waiting=look.services.goodwill.ListGoodwill(asked))
    waiting = parts.of("waiting", ListGoodwillResponse)
    number, more = len(waiting.goodwill), "+" if waiting.next_page_token else ""
    return PlainTextResponse(f"{look.say.number(number)}{more}" if number else "")


def _line(each: Goodwill, names: Names, look: Looking) -> Line:
    say, viewer = look.say, look.viewer
    is_own = each.requester == actor_name(viewer.principal.subject, "desk")
    return Line(
        each.name,
        each.customer,
        said(each, say),
        say.code(each.reason_code),
        each.explanation,
        names(each.requester),
        say.moment(moment(each.create_time)),
        say.moment(moment(each.expire_time)),
        () if is_own else offered(viewer, each.customer, APPROVE, DECLINE, on=each.name),
    )
