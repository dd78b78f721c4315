"""`/operations`: the services, one of them, dead letters, one of those, and what is done about them."""

import asyncio
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Look, Looking
from desk.pages.notice_jobs.stuck import BLOCKED
from desk.pages.notice_jobs.stuck import READ as READ_JOBS
from desk.pages.operations import asking, letters, overview, providers
from desk.pages.services import Part, Silence, ask, silences
from desk.pages.trying import typed
from rapport.notifications.v1.notice_job_service_pb2 import ListNoticeJobsRequest, ListNoticeJobsResponse
from rapport.notifications.v1.provider_service_pb2 import (
    ListProvidersRequest,
    ListProvidersResponse,
    TryProviderRequest,
)

router = APIRouter(prefix="/operations")


@router.get("")
async def services(look: Look) -> Response:
    names = asking.readable(look)
    asked, found, blocked = await asyncio.gather(
        asking.overview(look.services, names), _providers(look), _blocked(look)
    )
    silent = _silent(look, {name: each.is_silent for name, each in asked.items()})
    providers = found.value.providers if found.value else ()
    jobs = blocked.value.notice_jobs if blocked.value else ()
    page = overview.overview(asked, silent, providers, jobs, look.say)
    return look.answer("pages/operations/overview.html", page=page)


@router.get("/services/{service}")
async def service(look: Look, service: str) -> Response:
    """What one listens to and has still to do."""
    _readable(look, service)
    asked, parts = await asyncio.gather(
        asking.overview(look.services, [service]), asking.still_to_do(look.services, service)
    )
    page = asking.waiting(asked[service], parts, look.say)
    return look.answer("pages/operations/service.html", page=page, service=service)


@router.get("/dead-letters")
async def dead_letters(look: Look, service: str = "", page_token: str = "") -> Response:
    page = await _letters(look, service, page_token)
    return look.answer(
        "pages/operations/letters.html",
        page=page,
        service=service,
        names=asking.readable(look),
        request_id=uuid4(),
    )


@router.get("/services/{service}/consumers/{consumer}/deadLetters/{uuid}")
async def dead_letter(look: Look, service: str, consumer: str, uuid: str) -> Response:
    _readable(look, service)
    name = f"services/{service}/consumers/{consumer}/deadLetters/{uuid}"
    found = await asking.letter(look.services, service, name)
    page = letters.detail(found, look.viewer, look.say)
    return look.answer("pages/operations/letter.html", page=page, request_id=uuid4())


@router.get("/providers")
async def providers_of_messages(look: Look) -> Response:
    """Who takes our messages, also for who may know nothing else of how the services are."""
    look.require(providers.READ)
    found = await _providers(look)
    return look.answer(
        "pages/operations/providers.html",
        rows=providers.rows(found.value.providers, look.say) if found.value else [],
        trouble=look.say.refusal(found.refusal) if found.refusal else "",
        may=look.viewer.may(providers.WRITE),
        request_id=uuid4(),
    )


@router.post("/providers")
async def try_provider(look: Look) -> Response:
    """Have one tried now."""
    sent = await typed(look.request)
    request = TryProviderRequest(name=f"providers/{sent.text('provider')}", request_id=sent.request_id)
    await look.services.providers.TryProvider(request, timeout=asking.PATIENCE_S)
    return RedirectResponse("/operations/providers", 303)


async def _providers(look: Looking) -> Part[ListProvidersResponse]:
    """How they are; nothing for who may not know, and when it is not told."""
    if not look.viewer.may(providers.READ):
        return Part()
    parts = await ask(
        asking.PATIENCE_S, providers=look.services.providers.ListProviders(ListProvidersRequest())
    )
    return parts["providers"]


async def _blocked(look: Looking) -> Part[ListNoticeJobsResponse]:
    """Messages to many that cannot go on; nothing for who may not know, and when it is not told."""
    if not look.viewer.may(READ_JOBS):
        return Part()
    asked = look.services.notice_jobs.ListNoticeJobs(ListNoticeJobsRequest(filter=BLOCKED))
    return (await ask(asking.PATIENCE_S, blocked=asked))["blocked"]


@router.post("/dead-letters")
async def act(look: Look) -> Response:
    """Say what will happen and to how many, and once that is confirmed do it."""
    async with look.request.form(max_fields=200, max_files=0) as form:
        wanted = letters.chosen(form)
    if not wanted.sure or wanted.reason_error:
        return await _asked(look, wanted)
    done = await letters.do(look.services, wanted, look.say)
    return look.answer("pages/operations/done.html", done=done, act=wanted.act)


async def _asked(look: Looking, wanted: letters.Chosen) -> Response:
    """How many there are, and which, before anything happens."""
    names, page = wanted.names, None
    if wanted.everything is not None:
        page = await _letters(look, wanted.everything)
        names = [each.name for each in page.rows if each.may]
    error = wanted.sure and wanted.reason_error
    return look.answer(
        "pages/operations/chosen.html",
        status=422 if error else 200,
        act=wanted.act,
        names=names,
        unknown=page.unknown if page else [],
        is_cut=page is not None and bool(page.is_cut or page.next_token),
        reason=wanted.reason,
        reasons=letters.REASONS,
        error=look.say("A code of small letters and hyphens, such as repaired-by-hand") if error else "",
        request_id=wanted.request_id,
    )


async def _letters(look: Looking, service: str, page_token: str = "") -> letters.Letters:
    """The dead letters of a service, or of all that the viewer may know."""
    names = asking.readable(look)
    if service:
        _readable(look, service)
        names = [service]
    parts = await asking.letters(look.services, names, page_token if len(names) == 1 else "")
    silent = _silent(look, {name: part.away for name, part in parts.items()})
    return letters.letters(parts, silent, look.viewer, look.say)


def _readable(look: Looking, service: str) -> None:
    if service not in look.services.channels:
        raise NotFound(f"services/{service}")
    look.require(f"{service}.{asking.READ}")


def _silent(look: Looking, silent: dict[str, bool]) -> dict[str, Silence]:
    return silences(look.memory, "health", silent, look.say.now)
