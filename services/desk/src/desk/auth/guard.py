"""What stands before every page: who looks is known, what changes something is theirs, and nothing is framed.

a cookie -> a session -> `request.state.viewer`, and `current_call`, so that calls are made as that person
"""

from dataclasses import dataclass

from opentelemetry.trace import Span, StatusCode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.context import Call, current_call
from chassis.errors import Refusal
from chassis.grpc import admission
from chassis.telemetry import tracing
from desk.auth import answers, forms
from desk.auth.cookies import Jar
from desk.auth.headers import STATIC, Hardening
from desk.auth.sessions import Sessions


@dataclass(eq=False)
class Guard:
    """Lets through to pages who is signed in, and to the entrance everybody.

    A page finds in `request.state`

    - `viewer`: whoever looks;
    - `viewer_again`, for what lasts: `await` it to have them with a current token, or None when they are
      signed out. That is no use of the session, which ends by its time as if nobody looked.

    Attributes:
        pages: what is guarded.
        entrance: signing in and out.
        entrances: its paths.
        sessions: tell who is signed in.
        jar: reads cookies.
        origin: of pages of ours.
        hardening: adds headers.
    """

    pages: ASGIApp
    entrance: ASGIApp
    entrances: frozenset[str]
    sessions: Sessions
    jar: Jar
    origin: str
    hardening: Hardening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope["path"]
        send = self.hardening.around(send, path)
        if path in self.entrances:
            await self.entrance(scope, receive, send)
        elif path.startswith(STATIC):
            await self.pages(scope, receive, send)
        else:
            await self._traced(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                await self.pages(scope, admitted, watched)
                if route := getattr(scope.get("route"), "path", ""):  # never the path, which names people
                    span.update_name(f"{scope['method']} {route}")

    async def _admitted(self, request: Request, what: str, traceparent: str) -> Receive | Response:
        """What reads the request of somebody who may ask, or the answer to all others."""
        cookies = self.jar.read(request.cookies)
        # A page that is open and keeps itself current is no use: nobody may be there.
        used = answers.is_navigation(request) or request.method not in forms.SAFE
        viewer = await self.sessions.viewer(cookies, used=used)
        if viewer is None:
            return answers.signed_out(request)
        receive = request.receive
        if request.method not in forms.SAFE:
            admitted = await forms.admitted(request, self.origin, viewer.csrf)
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
        return receive


def _watched(send: Send, span: Span) -> Send:
    """`send`, with what became of it told to the span."""

    async def watching(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 500:
            span.set_status(StatusCode.ERROR)
        await send(message)

    return watching
