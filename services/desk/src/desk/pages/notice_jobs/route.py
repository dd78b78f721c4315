"""`/noticeJobs`: messages to many; `/noticeJobs/new`: whom one would reach is said before it is sent."""

from collections import defaultdict
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound, Refusal
from desk.pages.actions.offering import colleagues
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.loading import Names
from desk.pages.customer.route import UUID
from desk.pages.editing import marked
from desk.pages.notice_jobs import form, view
from desk.pages.notice_jobs.stuck import WRITE
from desk.pages.notice_policies import view as policies
from desk.pages.notice_policies.forms import UNITS
from desk.pages.services import Part, ask, refusal_of
from desk.pages.trying import Typed, typed
from desk.ui import words
from rapport.notifications.v1 import notice_job_service_pb2 as pb
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.template_service_pb2 import ListTemplatesRequest

router = APIRouter(prefix="/noticeJobs")
SHOWN, REFUSED_SHOWN, LISTED = 50, 100, 1000
COLLEAGUES_S = 0.8  # how long a form waits for whom one may choose, and is there without


@router.get("")
async def jobs(look: Look, after: str = "") -> Response:
    """The newest jobs of every department."""
    request = pb.ListNoticeJobsRequest(page_size=SHOWN, page_token=after)
    listed, names = await look.services.notice_jobs.ListNoticeJobs(request), Names(look.viewer, look.memory)
    await names.learn(look.services, {each.author for each in listed.notice_jobs})
    rows = [view.job(each, look.viewer, names, look.say) for each in listed.notice_jobs]
    token = listed.next_page_token
    return look.answer("pages/notice_jobs/all.html", jobs=rows, token=token, may=look.viewer.may(WRITE))


@router.get("/new")
async def new(look: Look) -> Response:
    """Which words; and once they are chosen, the form for them."""
    look.require(WRITE)
    return await _form(look, Typed({"template": look.request.query_params.get("template", "")}, {}))


@router.post("/preview")
async def preview(look: Look) -> Response:
    """How many there are, who would get it and who not, and what they would read."""
    sent, names = await _sent(look), Names(look.viewer, look.memory)
    try:
        job = form.job_of(sent, look.say)
        seen = await look.services.notice_jobs.PreviewNoticeJob(pb.PreviewNoticeJobRequest(notice_job=job))
    except (grpc.aio.AioRpcError, Refusal) as error:
        return await _form(look, sent, refusal_of(error))
    await names.learn(look.services, {f"agents/{sent.text('manager')}"} - {"agents/"})
    known = await look.services.known(seen.customers)
    return look.answer(
        "pages/notice_jobs/preview.html",
        seen=view.previewed(seen, known, look.say),
        which=view.which(job.filter, names, look.say),
        when=view.when(job, look.say),
        its=job.template,
        fields={**sent.fields, "request_id": sent.request_id or str(uuid4())},
    )


@router.post("")
async def begin(look: Look) -> Response:
    """Begin it, once for each form; or go back to the form with what was typed."""
    sent = await _sent(look)
    if sent.text("act") == "otherwise":
        return await _form(look, sent)
    try:
        request = pb.CreateNoticeJobRequest(
            notice_job=form.job_of(sent, look.say), request_id=sent.request_id
        )
        job = await look.services.notice_jobs.CreateNoticeJob(request)
    except (grpc.aio.AioRpcError, Refusal) as error:
        return await _form(look, sent, refusal_of(error))
    return RedirectResponse(f"/{job.name}", 303)


@router.get("/{uuid}")
async def job(look: Look, uuid: str) -> Response:
    """The page of one, which goes on by itself."""
    return look.answer("pages/notice_jobs/page.html", uuid=uuid, card=await _card(look, uuid))


@router.get("/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    return JSONResponse(message(f"noticeJobs/{uuid}", {"job": await _card(look, uuid)}, look.say.now))


@router.post("/{uuid}/pause")
async def pause(look: Look, uuid: str) -> Response:
    """Have it go no further for now; what was sent is."""
    await look.services.notice_jobs.PauseNoticeJob(pb.PauseNoticeJobRequest(name=_named(uuid)))
    return RedirectResponse(f"/{_named(uuid)}", 303)


@router.post("/{uuid}/resume")
async def resume(look: Look, uuid: str) -> Response:
    """Have it go on where it was."""
    await look.services.notice_jobs.ResumeNoticeJob(pb.ResumeNoticeJobRequest(name=_named(uuid)))
    return RedirectResponse(f"/{_named(uuid)}", 303)


@router.post("/{uuid}/cancel")
async def cancel(look: Look, uuid: str) -> Response:
    """Give it up for good; what was sent is."""
    await look.services.notice_jobs.CancelNoticeJob(pb.CancelNoticeJobRequest(name=_named(uuid)))
    return RedirectResponse(f"/{_named(uuid)}", 303)


def _named(uuid: str) -> str:
    if not UUID.fullmatch(uuid):
        raise NotFound("noticeJobs/…")
    return f"noticeJobs/{uuid}"


async def _card(look: Looking, uuid: str) -> Card:
    services, names = look.services, Names(look.viewer, look.memory)
    found = await services.notice_jobs.GetNoticeJob(pb.GetNoticeJobRequest(name=_named(uuid)))
    report = await services.notice_jobs.ReportNoticeJob(pb.ReportNoticeJobRequest(name=found.name))
    refused = pb.ListNoticeJobResultsRequest(
        parent=found.name, filter='reason != ""', page_size=REFUSED_SHOWN
    )
    listed = await services.notice_jobs.ListNoticeJobResults(refused)
    await names.learn(services, {found.author, *view.agents(found.filter)})
    known = await services.known(each.customer for each in listed.notice_job_results)
    told = macros("pages/notice_jobs/cards.html", say=look.say, viewer=look.viewer)
    shown = view.job(found, look.viewer, names, look.say)
    rows = view.results(listed.notice_job_results, known, look.say)
    became, is_part = view.outcomes(report, look.say), report.notice_count < found.requested_count
    return card(told.job(shown, became, is_part, rows, bool(listed.next_page_token)))


async def _sent(look: Looking) -> Typed:
    look.require(WRITE)
    return await typed(look.request)


def _managers(serving: Part[list[tuple[str, str]]] | None, chosen: str) -> list[tuple[str, str]]:
    """Who may be chosen; while nobody says who there is, who was."""
    listed = [(words.last(name), who) for name, who in (serving and serving.value) or ()]
    return listed or [(each, each) for each in [chosen] if each]


async def _form(look: Looking, sent: Typed, refusal: Refusal | None = None) -> Response:
    """The form with what was typed, and why it was refused."""
    say, services = look.say, look.services
    listed = await services.templates.ListTemplates(ListTemplatesRequest(page_size=LISTED))
    offered = view.offered(listed.templates, say)
    wanted = [each for each in listed.templates if each.name == sent.text("template")]
    its = next((each for each in wanted if each.name in dict(offered)), Template())
    given = [(name, sent.text(f"v-{name}")) for name in its.given_variables]
    errors = marked(refusal, say.language, (*form.FIELDS, *(f"v-{name}" for name, _ in given)), form.field_of)
    told = say("Not done yet: look at what is marked.") if errors else ""
    fields = defaultdict(str, {"silent_unit": "days", **sent.fields})
    serving = (await ask(COLLEAGUES_S, colleagues=colleagues(look)))["colleagues"] if its.name else None
    return look.answer(
        "pages/notice_jobs/new.html",
        422 if refusal else 200,
        templates=offered,
        its=its,
        given=given,
        managers=_managers(serving, sent.text("manager")),
        no_managers=say.refusal(serving.refusal) if serving and serving.refusal else "",
        typed=fields,
        channels=policies.channel_fields(fields, say),
        units=[(unit, say(told)) for unit, told in UNITS.items()],
        request_id=sent.request_id or str(uuid4()),
        told=told or (say.refusal(refusal) if refusal else ""),
        errors=errors,
    )
