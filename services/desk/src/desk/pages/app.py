"""The pages, put together and measured: who is signed in finds here what they see."""

import asyncio
import time
from importlib import import_module

import grpc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.context import current_call
from chassis.db.database import Database
from chassis.errors import NotFound, Refusal, invalid
from chassis.telemetry.metrics import BUCKETS_S
from desk.language.catalogues import FAULT, N_
from desk.live.calls import Calls
from desk.live.presence import Presence
from desk.live.stream import Readers
from desk.pages.base import STATIC, looking
from desk.pages.imports import mending
from desk.pages.imports import profiles as import_profiles
from desk.pages.services import Services, refusal_of
from desk.pages.traces.store import Traces

ROOMS = (
    *(
        "work",
        "queue",
        "customer",
        "case",
        "calls",
        "case_jobs",
        "departments",
        "handoffs",
        "promises",
        "purchases",
        "times",
        "authority",
        "topics",
        "earning",
        "reevaluation",
        "goodwill",
        "notice_jobs",
        "notice_policies",
        "notice_templates",
        "notices",
        "known",
        "selfservice",
        "membership",
        "vouchers",
        "timeline",
        "find",
        "actions",
        "aside",
        "received",
        "imports",
        "exports",
        "matches",
        "merging",
        "operations",
        "traces",
    ),
    "showcase",
)
_STATUS = {
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "INTERNAL": 500,
}
DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Time to answer a request for a page.",
    ["method", "route", "status"],
    buckets=BUCKETS_S,
)
VIEWERS = Gauge("rapport_live_viewers", "Browsers that are told of changes as they happen.")
_STREAM = b"text/event-stream"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def pages(
    services: Services,
    db: Database,
    draining: asyncio.Event,
    traces: Traces,
    calls: Calls,
    presence: Presence,
) -> FastAPI:
    """The application of all pages, which ask services as whoever looks; streams end when the desk drains."""
    # A redirect to a path with another slash would be made of the Host header, which anybody may send.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = services
    app.state.db, app.state.draining, app.state.memory = db, draining, {}
    app.state.calls, app.state.presence, app.state.readers = calls, presence, Readers()
    app.state.traces = traces
    app.add_middleware(Measured)
    for room in ROOMS:
        app.include_router(import_module(f"desk.pages.{room}.route").router)
    app.include_router(mending.router)
    app.include_router(import_profiles.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    for error in (Refusal, grpc.aio.AioRpcError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error, _refused)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """What was refused, or a fault of ours, as a page or a fragment in the frame that people know."""
    if not hasattr(request.state, "viewer"):  # of static files, which are everybody's
        return Response(status_code=getattr(error, "status_code", 500))
    refusal = _refusal(error)
    look = looking(request)
    template = "pages/actions/refused.html" if look.is_fragment else "ui/refused.html"
    return look.answer(template, _STATUS.get(refusal.code, 503), refusal=refusal)


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, RequestValidationError):
        place, *names = error.errors()[0]["loc"]
        if place != "path":
            return invalid(str(names[0]) if names else str(place), "INVALID_CODE", N_("is not understood"))
    if isinstance(error, HTTPException) and error.status_code not in (404, 405):
        return invalid("form", "INVALID_CODE", str(error.detail))
    if isinstance(error, HTTPException | RequestValidationError):
        return NotFound("a page")
    if isinstance(error, Refusal | grpc.aio.AioRpcError):
        return refusal_of(error)
    trace = current_call.get().correlation_id  # the server logs the error
    return Refusal("INTERNAL", FAULT.format(trace=trace), {"trace": trace})


def method_of(scope: Scope) -> str:
    """The method of a request as metrics and traces have it: whoever makes one up makes no series of it."""
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"


class Measured:
    """The pages with their metrics. A stream lasts as long as somebody looks: it is counted, not timed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, watches = time.perf_counter(), 0, False

        async def noting(message: Message) -> None:
            nonlocal status, watches
            if message["type"] == "http.response.start":
                status = message["status"]
                watches = any(
                    value.startswith(_STREAM) for name, value in message["headers"] if name == b"content-type"
                )
                VIEWERS.inc(watches)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if watches:
                VIEWERS.dec()
            else:
                # Never the path, which names people; one route for all that is none.
                route = getattr(scope.get("route"), "path", "none")
                took = time.perf_counter() - began
                DURATION.labels(method_of(scope), route, str(status)).observe(took)
