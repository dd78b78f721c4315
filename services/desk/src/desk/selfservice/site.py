"""The site of the customer's own pages: `/c/{token}`, without signing in, script or cookie.

The link is the right: what is asked and said goes to services by it, or is compared with the name that it is
of. A GET never changes anything, for mail scanners follow links. No path is in a log, a span or a metric.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import grpc
import structlog
from opentelemetry.trace import StatusCode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from chassis.app import App
from chassis.context import Call, current_call, service_itself
from chassis.errors import Refusal
from chassis.grpc.status import reason
from chassis.telemetry import tracing
from desk.language.catalogues import FAULT, N_
from desk.pages.app import DURATION, method_of
from desk.pages.base import render
from desk.pages.services import Services, refusal_of
from desk.selfservice.acts import Acts, Nothing
from desk.selfservice.asking import Own, fields_of, sent_to, speaking
from desk.selfservice.confirming import CONFIRM, ENDED, Confirming
from desk.selfservice.contacting import Contacting
from desk.selfservice.limits import Limits, Room, TooMuch
from desk.selfservice.offering import Offering
from desk.settings import Settings
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.self_service_link_service_pb2 import ResolveSelfServiceLinkRequest
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub

PREFIX = "/c/"
STYLES = "site.css"
PURPOSE = "customers-own-pages"  # what the audit says that it is read for
ANSWER_S = 10.0
AT_ONCE, OF_ONE = 64, 4  # requests of a replica, and by one link; who comes then is told to come back
OUT_AT_ONCE = 32  # room that looking takes from nobody: mail programs click once, and not again
_WAYS_OUT = ("unsubscribe", "stop", CONFIRM)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{48}")
_CSS = (Path(__file__).parent / STYLES).read_bytes()
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address is the link
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_STATUS = {"NOT_FOUND": 404, "INVALID_ARGUMENT": 400, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500}
_log = structlog.get_logger(__name__)

Act = Callable[[Own], Awaitable[Response]]


class OwnPages:
    """Answers what is below `/c/`."""

    def __init__(self, app: App[Settings], offering: Offering) -> None:
        self._clock, self._company = app.clock, app.settings.company
        self._links = app.client(SelfServiceLinkServiceStub, "customer")
        services = Services(app.channels, app.settings.front_desk)
        contacting = Contacting(self._links, services, offering)
        acts = Acts(self._links, services, contacting)
        self._confirming = Confirming(app.client(ConsentServiceStub, "customer"), services, self._company)
        self._limits = Limits(app.settings.customer_proxies)
        self._room, self._way_out = Room(AT_ONCE, OF_ONE), Room(OUT_AT_ONCE, OF_ONE)
        self._name = app.name
        self._secure = app.settings.site_url.startswith("https://")
        self._acts: dict[str, dict[str, Act]] = {
            "": {"GET": acts.home},
            "answer": {"GET": acts.home, "POST": acts.answer},  # which is where they are after it
            "contact": {"GET": contacting.contact, "POST": contacting.keep},
            "unsubscribe": {"GET": acts.ask_unsubscribe, "POST": acts.unsubscribe},
            "stop": {"POST": acts.stop},
            CONFIRM: {"GET": self._confirming.ask, "POST": self._confirming.confirm},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, began = Request(scope, receive), time.perf_counter()
        token, _, path = scope["path"].removeprefix(PREFIX).partition("/")
        acts = self._acts.get(path)
        route = "none" if acts is None else f"{PREFIX}{{token}}{'/' if path else ''}{path}"
        try:
            if (token, path) == (STYLES, ""):
                response, route = _styles(request), f"{PREFIX}{STYLES}"
            else:
                response = await self._traced(request, token, acts or {}, route)
        except ClientDisconnect:
            return
        response.headers.update(
            {name: value for name, value in _HEADERS.items() if name not in response.headers}
        )
        if self._secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        await response(scope, receive, send)
        took = time.perf_counter() - began
        DURATION.labels(method_of(scope), route, str(response.status_code)).observe(took)

    async def _traced(self, request: Request, token: str, acts: dict[str, Act], route: str) -> Response:
        method = method_of(request.scope)
        what = f"desk.CustomersPages/{method}"
        traceparent, sampled = tracing.decide("")  # whoever asks is not believed about traces
        with tracing.server_span(what, "") if sampled else tracing.NOTHING as span:
            traceparent = tracing.carried(traceparent)
            trace = tracing.trace_id(traceparent)
            by_itself = service_itself(self._name)
            call = Call(what, by_itself, correlation_id=trace, traceparent=traceparent, purpose=PURPOSE)
            current_call.set(call)
            span.update_name(f"{method} {route}")
            try:
                return await self._answered(request, token, acts)
            except ClientDisconnect:
                raise
            except Exception as error:  # whatever it is, the page says it in words
                refusal = _refusal(error, trace)
                if refusal.code == "INTERNAL":
                    span.set_status(StatusCode.ERROR)
                    _log.error("a customer's page failed", error=type(error).__name__, trace=trace)
                return self._refused(request, refusal)

    async def _answered(self, request: Request, token: str, acts: dict[str, Act]) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        act = acts.get(method)
        if act is None and acts:
            return Response(None, 405, {"Allow": ", ".join(sorted(acts))})
        link, posts = self._limits.link(token), method == "POST"
        path = request.url.path.rpartition("/")[2]
        out = posts and path in _WAYS_OUT
        with (self._way_out if out else self._room).taken(link):
            async with asyncio.timeout(ANSWER_S):
                counted = self._limits.sent if posts else self._limits.looked
                what = f"{link} {path}" if posts else link  # whoever asks sixty times still gets out
                self._take_no_more(counted.left_s(what))
                own = await self._opened(request, token, acts)
                if own is None or act is None:
                    self._count_wrong(request)
                    raise Nothing()
                counted.count(what)
                return await act(await self._sent(own) if posts else own)

    async def _opened(self, request: Request, token: str, acts: dict[str, Act]) -> Own | None:
        """Whose link it is; None for one that opens nothing. What confirms a yes opens that page alone."""
        if acts is self._acts[CONFIRM]:
            try:
                return await self._confirming.opened(request, token, self._clock)
            except grpc.aio.AioRpcError as error:
                if reason(error) == ENDED:
                    self._count_wrong(request)
                raise
        if not _TOKEN.fullmatch(token):
            return None
        try:
            linked = await self._links.ResolveSelfServiceLink(ResolveSelfServiceLinkRequest(token=token))
        except grpc.aio.AioRpcError as error:
            if reason(error) != "SELF_SERVICE_LINK_NOT_FOUND":
                raise
            return None
        say = speaking(request, self._clock, linked.language_code, linked.time_zone)
        return Own(request, token, linked, say, self._company)

    async def _sent(self, own: Own) -> Own:
        """With what was sent. One click of a mail program says all in its address, whatever its body is."""
        body = await sent_to(own.request)
        if own.request.url.path.endswith("/unsubscribe"):
            return own
        return replace(own, fields=fields_of(own.request, body))

    def _count_wrong(self, request: Request) -> None:
        """Whose address has tried too many is told to wait."""
        address = self._limits.address(request)
        self._take_no_more(self._limits.wrong.left_s(address))
        self._limits.wrong.count(address)

    def _take_no_more(self, seconds: float) -> None:
        if seconds:
            raise TooMuch(seconds)

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        say = speaking(request, self._clock)
        title, words = _WORDS.get(refusal.reason) or _WORDS.get(refusal.code, _WORDS[""])
        told = {"trace": refusal.metadata["trace"]} if "trace" in refusal.metadata else {}
        text = say(words, **told) if words else say.refusal(refusal)
        html = render(
            "selfservice/refused.html", say=say, title=say(title), words=text, company=self._company
        )
        status = 404 if refusal.reason == ENDED else _STATUS.get(refusal.code, 503)
        response = HTMLResponse(html, status)
        if refusal.retry_after_s:
            response.headers["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
        return response


_WORDS = {
    "NOT_FOUND": (
        N_("This link does not work"),
        N_(
            "It is not complete, or it was taken back. Please use the link of our latest message, or answer"
            " that message."
        ),
    ),
    ENDED: (
        N_("This confirms nothing any more"),
        N_(
            "Its seven days are over, you have told us otherwise since, or it went to an address that is not"
            " yours with us any more. Please choose it again, and we write to you again."
        ),
    ),
    "CONSENT_ASKED_OFTEN": (
        N_("We have written to you already"),
        N_(
            "We ask you to confirm the same at most three times a week, and five things a day. What you do"
            " not want any more is noted. Please choose fewer at once, or try again tomorrow or in some days."
        ),
    ),
    "RESOURCE_EXHAUSTED": (
        N_("Just a moment"),
        N_("Too much was asked at once. Please try again in a few minutes."),
    ),
    "INVALID_ARGUMENT": (N_("That is not understood"), ""),
    "INTERNAL": (N_("Something went wrong"), FAULT),
    "": (
        N_("Not now"),
        N_("We cannot show or keep this at the moment. Nothing is lost on our side: please try again soon."),
    ),
}


def _styles(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return Response(None, 405, {"Allow": "GET"})
    return Response(_CSS, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


def _refusal(error: Exception, trace: str) -> Refusal:
    if isinstance(error, grpc.aio.AioRpcError | Refusal | TimeoutError):
        return refusal_of(error)
    return Refusal("INTERNAL", "Something is wrong on our side.", {"trace": trace})
