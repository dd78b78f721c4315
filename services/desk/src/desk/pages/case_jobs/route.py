"""`/caseJobs`: jobs over many cases; `/caseJobs/new`: what one would do is said before it does it."""

from collections.abc import Iterable, Mapping

import grpc
from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import NotFound, Refusal
from desk.pages.actions.kinds.cases import RESOLVE, TOPICS
from desk.pages.actions.offering import colleagues
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.case_jobs import view
from desk.pages.case_jobs.form import TEXT_MAX, Asked, asked
from desk.pages.customer.loading import Names
from desk.pages.customer.route import UUID
from desk.pages.services import refusal_of
from desk.ui import words
from rapport.cases.v1 import case_job_service_pb2 as pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import BatchGetCasesRequest
from rapport.cases.v1.topic_service_pb2 import ListTopicsRequest

router = APIRouter(prefix="/caseJobs")
SHOWN, REFUSED_SHOWN = 50, 100


@router.get("")
async def jobs(look: Look, after: str = "") -> Response:
    """The newest jobs of every department."""
    request = pb.ListCaseJobsRequest(page_size=SHOWN, page_token=after)
    listed, names = await look.services.case_jobs.ListCaseJobs(request), Names(look.viewer, look.memory)
    await names.learn(look.services, {each.author for each in listed.case_jobs})
    rows = [view.job(each, look.viewer, names, look.say) for each in listed.case_jobs]
    token = listed.next_page_token
    return look.answer("pages/case_jobs/all.html", jobs=rows, token=token, may=look.viewer.may(view.WRITE))


@router.get("/new")
async def new(look: Look) -> Response:
    """The form about the cases that the URL says."""
    look.require(view.WRITE)
    return await _form(look, asked(look.request.query_params, words.last(look.viewer.department)))


@router.post("/preview")
async def preview(look: Look) -> Response:
    """How many cases there are, which, and to which it would not be done."""
    wanted, say, names = await _sent(look), look.say, Names(look.viewer, look.memory)
    job = wanted.job()
    try:
        seen = await look.services.case_jobs.PreviewCaseJob(pb.PreviewCaseJobRequest(case_job=job))
    except grpc.aio.AioRpcError as error:
        return await _form(look, wanted, refusal_of(error))
    await names.learn(look.services, {job.change.owner, f"agents/{wanted.owner}"} - {"agents/"})
    known = await _cases(look, [*seen.cases, *(each.case for each in seen.refused[:REFUSED_SHOWN])])
    return look.answer(
        "pages/case_jobs/preview.html",
        seen=seen,
        which=view.which(job, names, say),
        does=view.does(job.change, names, say),
        cases=[(name, view.titled(known.get(name), say)) for name in seen.cases],
        refused=view.results(seen.refused[:REFUSED_SHOWN], known, say),
        wanted=wanted,
    )


@router.post("")
async def begin(look: Look) -> Response:
    """Begin it, once for each form."""
    wanted = await _sent(look)
    request = pb.CreateCaseJobRequest(case_job=wanted.job(), request_id=wanted.request_id)
    try:
        job = await look.services.case_jobs.CreateCaseJob(request)
    except grpc.aio.AioRpcError as error:
        return await _form(look, wanted, refusal_of(error))
    return RedirectResponse(f"/{job.name}", 303)


@router.get("/{uuid}")
async def job(look: Look, uuid: str) -> Response:
    """The page of one, which goes on by itself."""
    return look.answer("pages/case_jobs/page.html", uuid=uuid, card=await _card(look, uuid))


@router.get("/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    return JSONResponse(message(f"caseJobs/{uuid}", {"job": await _card(look, uuid)}, look.say.now))


@router.post("/{uuid}/cancel")
async def cancel(look: Look, uuid: str) -> Response:
    """Stop it; what was done stays."""
    name = _named(uuid)
    await look.services.case_jobs.CancelCaseJob(pb.CancelCaseJobRequest(name=name))
    return RedirectResponse(f"/{name}", 303)


def _named(uuid: str) -> str:
    if not UUID.fullmatch(uuid):
        raise NotFound("caseJobs/…")
    return f"caseJobs/{uuid}"


async def _card(look: Looking, uuid: str) -> Card:
    services, names = look.services, Names(look.viewer, look.memory)
    found = await services.case_jobs.GetCaseJob(pb.GetCaseJobRequest(name=_named(uuid)))
    refused = pb.ListCaseJobResultsRequest(parent=found.name, filter='reason != ""', page_size=REFUSED_SHOWN)
    listed = await services.case_jobs.ListCaseJobResults(refused)
    await names.learn(services, {found.author, found.change.owner})
    known = await _cases(look, [each.case for each in listed.case_job_results])
    told = macros("pages/case_jobs/cards.html", say=look.say, viewer=look.viewer)
    shown = view.job(found, look.viewer, names, look.say)
    rows = view.results(listed.case_job_results, known, look.say)
    return card(told.job(shown, rows, bool(listed.next_page_token)))


async def _cases(look: Looking, names: Iterable[str]) -> Mapping[str, Case]:
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    request = BatchGetCasesRequest(names=wanted, allow_missing=True)
    found = await look.services.cases.BatchGetCases(request)
    return dict(zip(wanted, found.cases, strict=True))


async def _sent(look: Looking) -> Asked:
    look.require(view.WRITE)
    async with look.request.form(max_fields=50, max_files=0) as form:
        return asked(form, words.last(look.viewer.department))


async def _form(look: Looking, wanted: Asked, refusal: Refusal | None = None) -> Response:
    """The form with what was typed, and why it was refused."""
    say, listed = look.say, await look.services.topics.ListTopics(ListTopicsRequest(page_size=1000))
    topics = sorted({*(words.last(each.name) for each in listed.topics), *TOPICS} | {wanted.topic} - {""})
    agents = await colleagues(look)
    return look.answer(
        "pages/case_jobs/new.html",
        422 if refusal else 200,
        wanted=wanted,
        refusal=say.refusal(refusal) if refusal else "",
        agents=agents,
        owners=[(words.last(name), who) for name, who in agents],
        topics=[(code, say.titled(code)) for code in topics],
        resolutions=say.choices(RESOLVE.fields[0].codes),
        most=TEXT_MAX,
    )
