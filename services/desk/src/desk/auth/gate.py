"""What stands before every page: who looks is known, what changes something is theirs, and nothing is framed.

a cookie -> a session -> `request.state.viewer`, and `current_call`, so that calls are made as that person
"""

import re
from functools import partial

from opentelemetry.trace import Span, StatusCode
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.app import App
from chassis.context import Call, current_call
from chassis.errors import Refusal
from chassis.grpc import admission
from chassis.telemetry import tracing
from desk.auth import answers
from desk.auth.cookies import Jar
from desk.auth.entrance import PATHS, Entrance
from desk.auth.lending import Lending
from desk.auth.provider import Provider
from desk.auth.sessions import Sessions
from desk.settings import Settings

UPLOAD = "/imports"  # where a form may have a file
# Where one may have several, when it is sent as such: those that came with a contact.
_ATTACHING = re.compile(r"/customers/[0-9a-f-]{36}/act/contact")
_ATTACHED_MAX, _ATTACHED_BYTES = 10, 3_000_000  # as the customer service takes them, each and of one contact
STATIC = "/static/"  # kept by browsers, and nobody's
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; frame-src 'self'; form-action {forms}; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Of what departments wrote, which a page shows in a frame: it runs nothing, fetches nothing, is of nobody.
FRAMED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # To no other host; `no-referrer` would have browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class Gate:
    """Lets through to pages who is signed in, and to the entrance everybody.

    A page finds in `request.state`

    - `viewer`: whoever looks;
    - `viewer_again`, for what lasts: `await` it to have them with a current token, or None when they are
      signed out. That is no use of the session, which ends by its time as if nobody looked;
    - `lend`, for what goes on when they have left the page: see `Lending`;
    - `form`, of one that may have files: whoever reads it closes it.
    """

    def __init__(self, app: App[Settings]) -> None:
        settings = app.settings
        idle, longest = settings.session_idle_minutes, settings.session_hours
        self._provider = Provider(settings)
        self.sessions = Sessions(app.db, app.verifier, self._provider, idle, longest)
        self.jar = Jar(settings.site_url)
        self._origin = answers.origin_of(settings.site_url)
        self.lending = Lending(self.sessions, settings)
        self._file_max = settings.file_mib * 2**20
        self._entrance = Entrance(self._provider, self.sessions, self.jar, self._origin)

    def before(self, pages: ASGIApp) -> ASGIApp:
        """The pages, for those who are signed in."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"]
            send = self._hardened(send, path)
            if path in PATHS:
                await self._entrance(scope, receive, send)
            elif path.startswith(STATIC):
                await pages(scope, receive, send)
            else:
                await self._traced(pages, scope, receive, send)

        return guarded

    async def _traced(self, pages: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        what = f"desk.Pages/{scope['method']}"
        traceparent, sampled = tracing.decide("")
        with tracing.server_span(what, "") if sampled else tracing.NOTHING as span:
            traceparent = tracing.carried(traceparent)
            request = Request(scope, receive)
            try:
                admitted = await self._admitted(request, what, traceparent)
            except Refusal as refusal:
                admitted = answers.refused(request, refusal)
            except (ClientDisconnect, TimeoutError):
                return
            watched = _watched(send, span)
            if isinstance(admitted, Response):
                await admitted(scope, receive, watched)
            else:
                await pages(scope, admitted, watched)
                if route := getattr(scope.get("route"), "path", ""):  # never the path, which names people
                    span.update_name(f"{scope['method']} {route}")

    async def _admitted(self, request: Request, what: str, traceparent: str) -> Receive | Response:
        """What reads the request of somebody who may ask, or the answer to all others."""
        cookies = self.jar.read(request.cookies)
        # A page that is open and keeps itself current is no use: nobody may be there.
        used = answers.is_navigation(request) or request.method not in answers.SAFE
        viewer = await self.sessions.viewer(cookies, used=used)
        if viewer is None or cookies is None:
            return answers.signed_out(request)
        receive = request.receive
        if request.method not in answers.SAFE:
            files, most = self._files_of(request)
            if files:
                form = await answers.admitted_files(request, self._origin, viewer.csrf, most, files)
                if isinstance(form, Response):
                    return form
                request.state.form = form
            else:
                admitted = await answers.admitted(request, self._origin, viewer.csrf)
                if isinstance(admitted, Response):
                    return admitted
                receive = admitted
        headers = dict(request.headers)
        current_call.set(
            Call(
                what,
                viewer.principal,
                correlation_id=tracing.trace_id(traceparent),
                traceparent=traceparent,
                purpose=admission.purpose(headers) if admission.PURPOSE in headers else "",
                credential=viewer.credential,
            )
        )
        request.state.viewer = viewer
        request.state.viewer_again = lambda: self.sessions.viewer(cookies, used=False)
        request.state.lend = partial(self.lending.lend, cookies)
        return receive

    def _files_of(self, request: Request) -> tuple[int, int]:
        """How many files a form may have there, and of how many bytes each."""
        if request.url.path == UPLOAD:
            return 1, self._file_max
        kind = request.headers.get("content-type", "")
        if _ATTACHING.fullmatch(request.url.path) and kind.startswith("multipart/form-data"):
            return _ATTACHED_MAX, _ATTACHED_BYTES
        return 0, 0

    def _hardened(self, send: Send, path: str) -> Send:
        """`send`, with the headers. A form's answer may lead to the identity provider, on signing out."""
        policy = _POLICY.format(forms=" ".join(["'self'", *sorted(self._provider.origins())]))

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                headers.setdefault("Content-Security-Policy", policy)  # what is framed has one of its own
                if self.jar.secure:
                    headers.update(_ON_HTTPS)
                if not path.startswith(STATIC):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return hardened


def _watched(send: Send, span: Span) -> Send:
    """`send`, with what became of it told to the span."""

    async def watching(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 500:
            span.set_status(StatusCode.ERROR)
        await send(message)

    return watching
