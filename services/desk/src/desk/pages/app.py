"""The pages, put together: who is signed in finds here what they see."""

import asyncio

import grpc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from chassis.context import current_call
from chassis.db.database import Database
from chassis.errors import NotFound, Refusal, invalid
from chassis.grpc.client import Channels
from desk.language.catalogues import N_
from desk.language.refusals import FAULT
from desk.live.calls import Calls
from desk.live.presence import Presence
from desk.live.stream import Readers
from desk.pages.actions import route as acting
from desk.pages.base import STATIC, looking
from desk.pages.customer import route as customer
from desk.pages.find import making
from desk.pages.find import route as find
from desk.pages.keys import route as keys
from desk.pages.measuring import Measured
from desk.pages.message import route as message
from desk.pages.operations import route as operations
from desk.pages.received import route as received
from desk.pages.reveal import route as reveal
from desk.pages.services import Services, refusal_of
from desk.pages.showcase import route as showcase
from desk.pages.timeline import route as timeline
from desk.pages.traces import route as tracing
from desk.pages.traces.store import Traces
from desk.pages.why import route as why
from desk.pages.work import route as work

ROUTES = (
    work,
    customer,
    timeline,
    find,
    making,
    acting,
    why,
    message,
    reveal,
    received,
    operations,
    tracing,
    showcase,
    keys,
)
_STATUS = {
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "INTERNAL": 500,
}


def pages(
    channels: Channels,
    db: Database,
    draining: asyncio.Event,
    traces: Traces,
    calls: Calls,
    presence: Presence,
) -> FastAPI:
    """The application of all pages.

    Args:
        channels: to the services, without an identity of their own.
        db: the desk's database: drafts.
        draining: set when the desk stops: streams end.
        traces: where they are.
        calls: that ring at agents.
        presence: who looks at which customer.
    """
    # A redirect to a path with another slash would be made of the Host header, which anybody may send.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = Services(channels)
    app.state.db, app.state.draining, app.state.memory = db, draining, {}
    app.state.calls, app.state.presence, app.state.readers = calls, presence, Readers()
    app.state.traces = traces
    app.add_middleware(Measured)
    for each in ROUTES:
        app.include_router(each.router)
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
