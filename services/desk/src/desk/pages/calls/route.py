"""`/calls/{id}`: somebody is to be called; what became of it is a key, and Enter."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any
from uuid import uuid4

import grpc
from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from chassis.api.messages import timestamp
from chassis.errors import NotFound, Refusal, invalid
from desk.pages.actions.action import Doing
from desk.pages.base import Look, Looking
from desk.pages.calls import view
from desk.pages.customer.loading import PAGE_S, Names
from desk.pages.customer.route import UUID
from desk.pages.services import Part, ask, patience, refusal_of
from rapport.cases.v1.call_pb2 import CallOutcome
from rapport.cases.v1.call_service_pb2 import RecordCallOutcomeRequest
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport.customer.v1.consent_service_pb2 import GetConsentRequest
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

router = APIRouter()
Typed = Annotated[str, Form()]
_LATER = (
    "NO_ANSWER",
    "VOICEMAIL",
)  # whose time, unless it is another than is proposed, the service knows better


@router.get("/calls/{uuid}")
async def call(look: Look, uuid: str) -> Response:
    """The page."""
    return await _opened(look, uuid)


@router.post("/calls/{uuid}")
async def recorded(
    look: Look,
    uuid: str,
    outcome: Typed,
    request_id: Typed,
    etag: Typed = "",
    number: Typed = "",
    day: Typed = "",
    time: Typed = "",
    proposed: Typed = "",
) -> Response:
    """What became of it; the page then, which says it, or why it is not recorded."""
    if outcome not in view.OUTCOMES:
        raise invalid("outcome", "INVALID_CODE", f"must be one of {', '.join(view.OUTCOMES)}")
    request = RecordCallOutcomeRequest(
        name=_name(uuid),
        outcome=CallOutcome.Value(f"CALL_OUTCOME_{outcome}"),
        identifier=number,
        etag=etag,
        request_id=request_id,
    )
    agreed = outcome == "CALL_BACK" or (outcome in _LATER and day != "" and f"{day} {time}" != proposed)
    try:
        if agreed:
            at = Doing(look, "", "", {"day": day, "time": time}).moment()
            request.call_time.CopyFrom(timestamp(at))
        await look.services.calls.RecordCallOutcome(request)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refused: Part[Any] = Part(refusal=refusal_of(error))
        form = {"request_id": request_id, "etag": etag} if refused.away else {}  # it may have been recorded
        return await _opened(look, uuid, refusal=refused.refusal, day=day, time=time, form=form)
    return RedirectResponse(f"/calls/{uuid}?recorded={outcome}", 303)


def _name(uuid: str) -> str:
    if not UUID.fullmatch(uuid):
        raise NotFound("workItems/…")
    return f"workItems/{uuid}"


async def _opened(
    look: Looking,
    uuid: str,
    *,
    refusal: Refusal | None = None,
    day: str = "",
    time: str = "",
    form: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """The page; `form` is what was sent, where the same is to be sent once more."""
    told, names = await _asked(look, uuid)
    made = view.page(told, look.viewer, names, look.say)
    outcome = look.request.query_params.get("recorded", "")
    own = look.viewer.department == told.item.department or look.viewer.principal.administers("cases")
    return look.answer(
        "pages/calls/page.html",
        uuid=uuid,
        item=told.item,
        customer=told.case.customer,
        page=made,
        numbers=[(each.handle.name, each.handle.masked) for each in made.numbers if not each.wrong],
        outcomes=view.outcomes(made, look.say),
        may=own and look.viewer.may("cases.work_items.write") and not made.is_over,
        request_id=form.get("request_id") or str(uuid4()),
        etag=form.get("etag") or told.item.etag,
        refusal=refusal,
        recorded=look.say(view.MADE[outcome]) if outcome in view.MADE else "",
        day=day or made.day,
        time=time or made.time,
    )


async def _asked(look: Looking, uuid: str) -> tuple[view.Told, Names]:
    services, left = look.services, patience(PAGE_S)
    item = await services.work_items.GetWorkItem(GetWorkItemRequest(name=_name(uuid)))
    if not item.HasField("call"):
        raise NotFound(item.name)
    case = await services.cases.GetCase(GetCaseRequest(name=item.case))
    consent = f"{case.customer}/consents/service.voice"
    asked: dict[str, Any] = {
        "customer": services.known([case.customer]),
        "consent": services.consents.GetConsent(GetConsentRequest(name=consent)),
    }
    if item.call.promise:
        asked["promise"] = services.promises.GetPromise(GetPromiseRequest(name=item.call.promise))
    if item.call.notice:
        asked["notice"] = services.notices.GetNotice(GetNoticeRequest(name=item.call.notice))
    if look.viewer.may("loyalty.goodwill.grant"):
        about = CheckGoodwillRequest(customer=case.customer)
        asked["allowance"] = services.goodwill.CheckGoodwill(about)
    names = Names(look.viewer, look.memory)
    callers = {each.caller for each in item.call.attempts}
    learning = names.learn(services, callers | {item.assignee} - {""}, left())
    parts, _ = await asyncio.gather(ask(left(), **asked), asyncio.shield(learning))
    return view.Told(item, case, parts), names
