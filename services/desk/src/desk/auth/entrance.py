"""Signing in and out: the paths of the site that are open to all, beside its static files."""

import re
import time
from dataclasses import dataclass, field

import msgspec
import structlog
from authlib.common.encoding import urlsafe_b64decode, urlsafe_b64encode
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import Refusal, Unauthenticated
from desk.auth import answers
from desk.auth.answers import HOME, checked
from desk.auth.cookies import Jar
from desk.auth.provider import AFTERWARDS, CALLBACK, NotSignedIn, Provider
from desk.auth.sessions import Sessions
from desk.language.catalogues import N_, refusal_words

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
PATHS = frozenset({SIGN_IN, CALLBACK, SIGN_OUT, AFTERWARDS, answers.DONE})
PENDING_S = 3600  # for which somebody may think about a password
PENDING_MAX = 15  # tabs that sign in at once: more cookies would not fit what proxies take
_ONCE_MORE = "~"  # at the end of a state: this sign-in is the second attempt

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way, kept in the browser that began it: a cookie for each, so that tabs do not meet."""

    at: float
    back: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(eq=False)
class Entrance:
    """Answers the paths of signing in and out."""

    provider: Provider
    sessions: Sessions
    jar: Jar
    origin: str

    def __post_init__(self) -> None:
        self._routes = {
            (SIGN_IN, "GET"): self._sign_in,
            (CALLBACK, "GET"): self._callback,
            (SIGN_OUT, "POST"): self._sign_out,
            (AFTERWARDS, "GET"): self._signed_out,
            (answers.DONE, "GET"): self._done,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        route = self._routes.get((scope["path"], "GET" if scope["method"] == "HEAD" else scope["method"]))
        response: ASGIApp
        if route is None:
            response = answers.page(
                request, N_("Not found"), N_("Nothing is done so here."), (HOME, N_("Go on")), status=405
            )
        else:
            try:
                response = await route(request)
            except Refusal as refusal:
                response = self._unable(request, refusal)
            except (ClientDisconnect, TimeoutError):
                return
        await response(scope, receive, send)

    async def _sign_in(self, request: Request) -> Response:
        if not self.provider.is_set_up:
            told = N_("Nobody can sign in here: RAPPORT_OIDC_CLIENT_ID is not set.")
            return answers.page(request, N_("Sign-in is not set up"), told, status=503)
        return await self._begin(request, checked(request.query_params.get("back")))

    async def _begin(self, request: Request, back: str, mark: str = "") -> Response:
        begun = await self.provider.begin(mark)
        response = RedirectResponse(begun.url, 303)
        pending = Pending(time.time(), back, begun.nonce, begun.verifier)
        self.jar.put(response, self.jar.pending + begun.state, _packed(pending), PENDING_S)
        for name in self._surplus(request):
            self.jar.put(response, name, "", 0)
        return response

    async def _callback(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        name = self.jar.pending + state
        pending = _unpacked(request.cookies.get(name, ""))
        if pending is None:
            return await self._unknown(request, state)
        try:
            if error := request.query_params.get("error"):
                raise NotSignedIn(f"the provider refuses: {error[:50]}")
            code = request.query_params.get("code", "")
            tokens, display_name = await self.provider.finish(code, pending.nonce, pending.verifier)
            cookies = await self.sessions.begin(tokens, display_name, request.cookies.get(self.jar.form, ""))
        except (NotSignedIn, Unauthenticated) as refused:
            _log.warning("somebody was not signed in", why=str(refused))
            again, told = (answers.sign_in_url(pending.back), N_("Try again")), N_("It was refused: {why}")
            title = N_("You are not signed in")
            response = answers.page(request, title, told, again, status=403, why=str(refused))
        else:
            if before := self.jar.read(request.cookies):
                await self.sessions.end(before)
            response = RedirectResponse(pending.back, 303)
            self.jar.set(response, cookies)
        self.jar.put(response, name, "", 0)
        return response

    async def _unknown(self, request: Request, state: str) -> Response:
        """It took too long, began at another address, or is over: once more, and only once."""
        if await self.sessions.viewer(self.jar.read(request.cookies)):
            return RedirectResponse(HOME, 303)
        if state.endswith(_ONCE_MORE):
            told = N_("This browser does not keep the cookies that signing in needs.")
            again = (answers.sign_in_url(HOME), N_("Try again"))
            return answers.page(request, N_("You are not signed in"), told, again, status=400)
        return await self._begin(request, HOME, _ONCE_MORE)

    async def _sign_out(self, request: Request) -> Response:
        cookies = self.jar.read(request.cookies)
        subject = await self.sessions.subject(cookies)  # no token: who leaves does not wait for the provider
        if not subject or cookies is None:
            return RedirectResponse(AFTERWARDS, 303)
        admitted = await answers.admitted(request, self.origin, cookies.csrf(subject))
        if isinstance(admitted, Response):
            return admitted
        identity = await self.sessions.identity_token(cookies)
        await self.sessions.end(cookies)
        response = RedirectResponse(await self.provider.sign_out_url(identity), 303)
        self.jar.put(response, self.jar.session, "", 0)
        return response

    async def _signed_out(self, request: Request) -> Response:
        told = N_("Close the browser if others use it, too.")
        sign_in = (answers.sign_in_url(HOME), N_("Sign in"))
        return answers.page(request, N_("You are signed out"), told, sign_in)

    async def _done(self, request: Request) -> Response:
        if await self.sessions.viewer(self.jar.read(request.cookies)) is None:
            return RedirectResponse(answers.sign_in_url(HOME), 303)
        told = N_("Close this tab, and go on in the one where you were: what you wrote is still there.")
        return answers.page(request, N_("You are signed in"), told, (HOME, N_("Go to the desk")))

    def _surplus(self, request: Request) -> list[str]:
        """The cookies of the oldest of too many sign-ins under way, and of what is none."""
        ours = re.compile(rf"{re.escape(self.jar.pending)}[\w~-]+", re.ASCII)  # no other can be set by us
        names = [name for name in request.cookies if ours.fullmatch(name)]
        begun = {name: _unpacked(request.cookies[name]) for name in names}
        names.sort(key=lambda name: pending.at if (pending := begun[name]) else 0.0)
        return names[: max(0, len(names) - PENDING_MAX + 1)]

    def _unable(self, request: Request, refusal: Refusal) -> Response:
        again = answers.sign_in_url(checked(request.query_params.get("back")))
        told = refusal_words(refusal, answers.language(request))
        response = answers.page(request, N_("Not now"), told, (again, N_("Try again")), status=503)
        response.headers["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
        return response


def _packed(pending: Pending) -> str:
    return str(urlsafe_b64encode(msgspec.json.encode(pending)).decode())


def _unpacked(value: str) -> Pending | None:
    """A pending sign-in, of a cookie. Its path is looked at again: a cookie is the browser's to change."""
    try:
        pending = msgspec.json.decode(urlsafe_b64decode(value.encode()), type=Pending)
    except (ValueError, msgspec.DecodeError):
        return None
    return Pending(pending.at, checked(pending.back), pending.nonce, pending.verifier)
