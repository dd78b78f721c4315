"""`/customers/{id}`: the page, its cards as JSON, and the stream of what changes."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import grpc
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.api.messages import timestamp
from chassis.errors import NotFound, Refusal, invalid
from desk.language.catalogues import N_
from desk.live import stream
from desk.pages.actions.action import Doing
from desk.pages.actions.route import note_box
from desk.pages.base import Look, Looking, message
from desk.pages.customer import view
from desk.pages.customer.live import also, leaving, ringing, watch
from desk.pages.customer.loading import PAGE_S, Names, load
from desk.pages.customer.page import COLUMNS, Card, cards
from desk.pages.queue import live as queues
from desk.pages.services import refusal_of
from rapport.customer.v1.advice_pb2 import AdviceAnswer
from rapport.customer.v1.advice_service_pb2 import AnswerAdviceRequest

router = APIRouter()
Customers = Annotated[Sequence[str], Query()]
WATCHED_MAX = 20  # customers in one browser
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@router.get("/customers/{uuid}")
async def customer(look: Look, uuid: str) -> Response:
    page = await _page(look, uuid)
    if page.name != f"customers/{uuid}":  # merged: the name that survives
        return RedirectResponse(f"/{page.name}", 303)
    note = await note_box(look, page.name)
    told, columns = cards(look, page), COLUMNS
    return look.answer("pages/customer/page.html", page=page, cards=told, columns=columns, note=note)


@router.post("/customers/{uuid}/adviceAnswers/{key}")
async def answer_advice(look: Look, request: Request, uuid: str, key: str) -> Response:
    """Done, or not now: what was advised goes, and the page is shown again. What is over is over."""
    typed = {name: str(value) for name, value in (await request.form()).items()}
    doing = Doing(look, f"customers/{uuid}", f"customers/{uuid}/adviceAnswers/{key}", typed)
    asked = doing.request(AnswerAdviceRequest, outcome=doing.choice("outcome", AdviceAnswer.Outcome))
    if asked.outcome == AdviceAnswer.OUTCOME_NOT_NOW:
        asked.until_time.CopyFrom(timestamp(_until(doing.text("until"))))
    try:
        await look.services.advice.AnswerAdvice(asked)
    except (grpc.aio.AioRpcError, Refusal) as error:
        if refusal_of(error).reason != "NOT_ADVISED":
            raise
    return RedirectResponse(f"/{doing.customer}#advice", 303)


def _until(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid("until", "INVALID_TIME", N_("must be a moment")) from None


@router.get("/customers/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    """Every card as it is now: for a page that was away."""
    page = await _page(look, uuid)
    return JSONResponse(message(f"customers/{uuid}", cards(look, page), look.say.now))


@router.api_route("/live", methods=["GET", "HEAD"])
async def live(look: Look, request: Request, customer: Customers = (), queue: Customers = ()) -> Response:
    """What changes of the customers and queues that a browser shows. Whoever looks is there."""
    if request.method == "HEAD":
        return Response()
    named = [each for each in dict.fromkeys(customer) if UUID.fullmatch(each.removeprefix("customers/"))]
    state, shown = request.app.state, named[:WATCHED_MAX]
    sources = [*(watch(look, each) for each in shown), *(also(look, each, state.presence) for each in shown)]
    watched = [each for each in dict.fromkeys(queue) if queues.PAGE.fullmatch(each)][:WATCHED_MAX]
    sources += [queues.watch(look, each) for each in watched]
    told = [*sources, ringing(look, state.calls), leaving(look), queues.attend(look)]
    seat = state.readers.seat(look.viewer.principal.subject)
    return stream.answer(told, seat, state.draining)


@router.post("/stay")
async def stay(look: Look) -> Response:
    """Somebody is there: their session goes on, as with anything else that they do."""
    return Response(status_code=204)


async def _page(look: Looking, uuid: str) -> Card:
    """What to show of a customer. NotFound for nobody."""
    if not UUID.fullmatch(uuid):
        raise NotFound("customers/…")
    name, names = f"customers/{uuid}", Names(look.viewer, look.memory)
    parts = await load(look.services, name, names, PAGE_S, look.say.now)
    for known in ("customer", "view"):
        if (part := parts[known]).refusal and part.refusal.code in ("NOT_FOUND", "PERMISSION_DENIED"):
            raise part.refusal
    return view.page(name, parts, look.viewer, names, look.say)
