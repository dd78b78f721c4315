"""`/promises`: the ledger, by department, customer, outcome and days; each page one list."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.api.messages import timestamp
from desk.pages.base import Look
from desk.pages.customer.loading import Names
from desk.pages.departments.periods import begin
from desk.pages.promises import view
from desk.pages.promises.chosen import Chosen, chosen
from desk.pages.services import Services, ask, patience
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import (
    GetPromiseRequest,
    ListPromisesRequest,
    ListPromisesResponse,
    PromiseScorecard,
    ScorePromisesRequest,
)
from rapport.customer.v1.customer_pb2 import Customer

router = APIRouter()
PAGE, PAGE_S = 50, 4.0


@router.get("/promises")
async def promises(look: Look, after: str = "") -> Response:
    """The page, or what comes after a part of it."""
    services, left = look.services, patience(PAGE_S)
    what = chosen(look.request.query_params, look.say.today)
    request = ListPromisesRequest(filter=what.filter, page_size=PAGE, page_token=after)
    asked: dict[str, Any] = {"promises": services.promises.ListPromises(request)}
    if not after and not what.customer:  # of a customer nobody counts
        asked["score"] = services.promises.ScorePromises(_scored(what))
    parts = await ask(left(), **asked)
    refused = parts["promises"]
    if refused.refusal and (look.is_fragment or not refused.away):
        raise refused.refusal
    answered, names = parts.of("promises", ListPromisesResponse), Names(look.viewer, look.memory)
    listed = answered.promises
    about = {each.customer for each in listed} | ({f"customers/{what.customer}"} if what.customer else set())
    parts |= await ask(
        left(),
        names=names.learn(services, {each.notifier for each in listed}, left()),
        customers=services.known(about),
        chains=_neighbours(services, listed, left()),
    )
    further = what.url(after=answered.next_page_token) if answered.next_page_token else ""
    lines = view.lines(what, parts, names, look.say)
    if look.is_fragment:
        return look.answer("pages/promises/rows.html", lines=lines, further=further)
    rows = parts.of("score", PromiseScorecard).rows
    counted = (rows[0] if rows else PromiseScorecard.Row()) if parts.has("score") else None
    customer = parts.of("customers", dict[str, Customer]).get(f"customers/{what.customer}", Customer())
    return look.answer(
        "pages/promises/page.html",
        lines=lines,
        further=further,
        what=what,
        of=customer.display_name or (look.say("a customer") if what.customer else ""),
        choices=view.choices(what, counted, look.say),
        trouble=look.say("Cases does not answer; look again in a moment.") if refused.away else "",
    )


def _scored(what: Chosen) -> ScorePromisesRequest:
    """The counts of what is listed, whatever became of it."""
    return ScorePromisesRequest(
        start_time=timestamp(begin(what.since)),
        end_time=timestamp(begin(what.after)),
        department=f"departments/{what.department}" if what.department else "",
    )


async def _neighbours(services: Services, listed: Sequence[Promise], patience_s: float) -> dict[str, Promise]:
    """What stood before, and stands after, the promises of a page; without what does not come in time."""
    known = {each.name for each in listed}
    names = {name for each in listed for name in (each.predecessor, each.successor) if name} - known
    get = services.promises.GetPromise
    if not names:
        return {}
    found = await ask(patience_s, **{name: get(GetPromiseRequest(name=name)) for name in names})
    return {name: part.value for name, part in found.items() if part.value}
