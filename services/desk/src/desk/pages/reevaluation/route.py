"""`/reevaluationJobs`: reckoning anew what purchases earned; what that would cost is said before."""

from collections.abc import Iterable

import grpc
from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.errors import InvalidArgument, NotFound, Refusal
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.route import UUID
from desk.pages.reevaluation import view
from desk.pages.reevaluation.form import Asked, asked
from desk.pages.services import ask, refusal_of
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1 import reevaluation_job_service_pb2 as pb
from rapport.loyalty.v1.earning_service_pb2 import ListEarningRulesRequest
from rapport.loyalty.v1.reevaluation_job_pb2 import ReevaluationResult

router = APIRouter(prefix="/reevaluationJobs")
Whose = ReevaluationResult | pb.PreviewReevaluationJobResponse.Debt
SHOWN, CHANGED_SHOWN, RULES_MAX, NEEDED_S = 50, 100, 1000, 4.0


@router.get("")
async def jobs(look: Look, after: str = "") -> Response:
    """The newest jobs of every department."""
    request = pb.ListReevaluationJobsRequest(page_size=SHOWN, page_token=after)
    listed = await look.services.reevaluations.ListReevaluationJobs(request)
    rows = [view.job(each, look.viewer, look.say) for each in listed.reevaluation_jobs]
    token, may = listed.next_page_token, look.viewer.may(view.WRITE)
    return look.answer("pages/reevaluation/all.html", jobs=rows, token=token, may=may)


@router.get("/new")
async def new(look: Look) -> Response:
    """The form, with what the URL says."""
    look.require(view.WRITE)
    return await _form(look, asked(look.request.query_params))


@router.post("/preview")
async def preview(look: Look) -> Response:
    """What it would change, and what that costs."""
    wanted, say = await _sent(look), look.say
    try:
        job = wanted.job(say.zone)
        request = pb.PreviewReevaluationJobRequest(reevaluation_job=job)
        seen = await look.services.reevaluations.PreviewReevaluationJob(request)
    except (grpc.aio.AioRpcError, InvalidArgument) as error:
        return await _form(look, wanted, _refused(error))
    people = await _people(look, [*seen.largest, *seen.debts])
    return look.answer(
        "pages/reevaluation/preview.html",
        seen=seen,
        which=view.which(job, say),
        changes=view.changes(seen.changes, say),
        rules=view.costs(seen.rule_costs, say),
        departments=view.costs(seen.department_costs, say),
        largest=view.results(seen.largest, people, say),
        debts=[
            (each.customer, people.get(each.customer, Customer()).display_name, say.number(each.owed_points))
            for each in seen.debts
        ],
        hidden={**wanted.hidden, "rules_digest": seen.rules_digest},
    )


@router.post("")
async def begin(look: Look) -> Response:
    """Begin it, once for each form."""
    wanted = await _sent(look)
    try:
        request = pb.CreateReevaluationJobRequest(
            reevaluation_job=wanted.job(look.say.zone),
            rules_digest=wanted.rules_digest,
            request_id=wanted.request_id,
        )
        job = await look.services.reevaluations.CreateReevaluationJob(request)
    except (grpc.aio.AioRpcError, InvalidArgument) as error:
        return await _form(look, wanted, _refused(error))
    return RedirectResponse(f"/{job.name}", 303)


@router.get("/{uuid}")
async def job(look: Look, uuid: str) -> Response:
    """The page of one, which goes on by itself."""
    return look.answer("pages/reevaluation/page.html", uuid=uuid, card=await _card(look, uuid))


@router.get("/{uuid}/cards")
async def fresh_cards(look: Look, uuid: str) -> JSONResponse:
    return JSONResponse(message(f"reevaluationJobs/{uuid}", {"job": await _card(look, uuid)}, look.say.now))


@router.post("/{uuid}/cancel")
async def cancel(look: Look, uuid: str) -> Response:
    """Stop it; what was posted stays."""
    look.require(view.WRITE)
    request = pb.CancelReevaluationJobRequest(name=_named(uuid))
    await look.services.reevaluations.CancelReevaluationJob(request)
    return RedirectResponse(f"/{request.name}", 303)


def _named(uuid: str) -> str:
    if not UUID.fullmatch(uuid):
        raise NotFound("reevaluationJobs/…")
    return f"reevaluationJobs/{uuid}"


def _refused(error: grpc.aio.AioRpcError | InvalidArgument) -> Refusal:
    return error if isinstance(error, Refusal) else refusal_of(error)


async def _card(look: Looking, uuid: str) -> Card:
    services = look.services
    found = await services.reevaluations.GetReevaluationJob(pb.GetReevaluationJobRequest(name=_named(uuid)))
    request = pb.ListReevaluationResultsRequest(parent=found.name, page_size=CHANGED_SHOWN)
    listed = await services.reevaluations.ListReevaluationResults(request)
    people = await _people(look, listed.reevaluation_results)
    told = macros("pages/reevaluation/cards.html", say=look.say, viewer=look.viewer)
    rows = view.results(listed.reevaluation_results, people, look.say)
    return card(told.job(view.job(found, look.viewer, look.say), rows, bool(listed.next_page_token)))


async def _people(look: Looking, of: Iterable[Whose]) -> dict[str, Customer]:
    """Those whose these are, as far as they are known."""
    names = {each.customer for each in of}
    parts = await ask(NEEDED_S, customers=look.services.known(names))
    return parts.of("customers", dict[str, Customer])


async def _sent(look: Looking) -> Asked:
    look.require(view.WRITE)
    async with look.request.form(max_fields=20, max_files=0) as form:
        return asked(form)


async def _form(look: Looking, wanted: Asked, refusal: Refusal | None = None) -> Response:
    """The form with what was typed, and why it was refused."""
    listed = await look.services.earning.ListEarningRules(ListEarningRulesRequest(page_size=RULES_MAX))
    options = view.options(listed.earning_rules, look.say)
    if wanted.by and wanted.by not in dict(options):
        options.append((wanted.by, wanted.by))
    return look.answer(
        "pages/reevaluation/new.html",
        422 if refusal else 200,
        wanted=wanted,
        refusal=look.say.refusal(refusal) if refusal else "",
        options=options,
    )
