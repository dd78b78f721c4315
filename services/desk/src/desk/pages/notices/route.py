"""`/notices`: messages; each, `/notices/{id}`, step by step; `/notices/report`: what they were worth."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from chassis.api.messages import day, timestamp, value_name
from chassis.errors import NotFound, Refusal, invalid
from desk.pages.aside.explaining import explained
from desk.pages.base import Look, Looking
from desk.pages.customer.route import UUID
from desk.pages.departments.periods import begin, period
from desk.pages.departments.periods import choices as periods
from desk.pages.notices import view
from desk.pages.notices.chosen import chosen
from desk.pages.services import ask, patience, refusal_of
from desk.pages.trying import typed
from desk.pages.work.route import CODE
from desk.ui import words
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1 import notice_service_pb2 as pb
from rapport.notifications.v1.notice_pb2 import Notice

router = APIRouter()
PAGE, PAGE_S, LISTED = 50, 4.0, 1000
REPORT_S = 8.0  # of a year of messages


@router.get("/notices")
async def notices(look: Look, after: str = "") -> Response:
    """The page, or what comes after a part of it."""
    services, left = look.services, patience(PAGE_S)
    what = chosen(look.request.query_params)
    request = pb.ListNoticesRequest(filter=what.filter, page_size=PAGE, page_token=after)
    listed = await services.notices.ListNotices(request)
    about = {each.customer for each in listed.notices}
    if what.customer:
        about.add(f"customers/{what.customer}")
    parts = await ask(left(), customers=services.known(about))
    customers = parts.of("customers", dict[str, Customer])
    further = what.url(after=listed.next_page_token) if listed.next_page_token else ""
    lines = [view.line(each, customers, look.say) for each in listed.notices]
    if look.is_fragment:
        return look.answer("pages/notices/rows.html", lines=lines, further=further)
    of = customers.get(f"customers/{what.customer}", Customer())
    return look.answer(
        "pages/notices/all.html",
        lines=lines,
        further=further,
        what=what,
        of=of.display_name or (look.say("a customer") if what.customer else ""),
        choices=view.choices(what, look.say),
        channels=[("", look.say("any")), *((each, look.say.titled(each)) for each in words.CHANNELS)],
    )


@router.get("/notices/report")
async def report(
    look: Look, weeks: int = 13, until: date | None = None, by: str = "policy", department: str = ""
) -> Response:
    """What became of messages, and whether their customers turned to us all the same."""
    if by not in view.REPORTED:
        raise invalid("by", "INVALID_FILTER", f"must be one of {', '.join(view.REPORTED)}")
    if department and not CODE.fullmatch(department):
        raise invalid("department", "INVALID_FILTER", "must be a code such as delivery")
    shown, say = period(weeks, until, look.say.today), look.say
    asked = pb.ReportNoticesRequest(
        start_time=timestamp(begin(shown.first)),
        end_time=timestamp(begin(shown.until)),
        group_by=pb.ReportNoticesRequest.GroupBy.Value(f"GROUP_BY_{view.REPORTED[by][1].upper()}"),
        department=f"departments/{department}" if department else "",
    )
    parts = await ask(REPORT_S, report=look.services.notices.ReportNotices(asked))
    answered = parts["report"]
    if answered.refusal and not answered.away:
        raise answered.refusal
    found = parts.of("report", pb.NoticeReport)
    return look.answer(
        "pages/notices/report.html",
        rows=view.rows(found, by, department, say),
        total=found.total,
        contacted=view.contacted(found.total, say),
        reasons=view.reasons(found.total, say),
        trouble=say.refusal(answered.refusal) if answered.refusal else "",
        choices=periods("/notices/report", shown, say, by=by, department=department),
        ways=[
            (shown.url("/notices/report", by=key, department=department), say(told), key == by)
            for key, (told, _) in view.REPORTED.items()
        ],
        everything=shown.url("/notices/report", by=by),
        by=by,
        first=say(view.REPORTED[by][0]),
        department=department,
        since=say.partly(day(shown.first)),
        until=say.partly(day(shown.until - timedelta(days=1))),
    )


@router.get("/notices/{notice}")
async def notice(look: Look, notice: str) -> Response:
    """How one was decided and delivered, step by step."""
    return await _page(look, await _found(look, notice))


@router.post("/notices/{notice}")
async def take_back(look: Look, notice: str) -> Response:
    """It is not sent, unless it is on its way."""
    found, sent = await _found(look, notice), await typed(look.request)
    try:
        await look.services.notices.CancelNotice(
            pb.CancelNoticeRequest(name=found.name, request_id=sent.request_id)
        )
    except (grpc.aio.AioRpcError, Refusal) as error:
        return await _page(look, await _found(look, notice), refusal_of(error))
    return RedirectResponse(f"/{found.name}", 303)


async def _found(look: Looking, notice: str) -> Notice:
    if not UUID.fullmatch(notice):
        raise NotFound("notices/…")
    found: Notice = await look.services.notices.GetNotice(pb.GetNoticeRequest(name=f"notices/{notice}"))
    return found


async def _page(look: Looking, found: Notice, refusal: Refusal | None = None) -> Response:
    services, say, left = look.services, look.say, patience(PAGE_S)
    listed = pb.ListDeliveryAttemptsRequest(parent=found.name, page_size=LISTED)
    parts = await ask(
        left(),
        customers=services.known([found.customer]),
        attempts=services.notices.ListDeliveryAttempts(listed),
        why=services.explain(found.name),
    )
    why: Any = parts["why"].value
    answered = parts.of("attempts", pb.ListDeliveryAttemptsResponse)
    return look.answer(
        "pages/notices/one.html",
        422 if refusal else 200,
        notice=found,
        line=view.line(found, parts.of("customers", dict[str, Customer]), say),
        times=view.times(found, say),
        attempts=view.attempts(answered.delivery_attempts, say),
        away={name: say.refusal(part.refusal) for name, part in parts.items() if part.refusal},
        why=await explained(look, why) if why else None,
        told=say.refusal(refusal) if refusal else "",
        may=value_name(found, "state") == "REQUESTED" and look.viewer.may("notifications.notices.write"),
        request_id=str(uuid4()),
    )
