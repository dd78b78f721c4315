"""An OpenID Connect provider for the local stack: `python -m rapport_tools.local.provider HOME SITES PORT`.

It listens on loopback alone, and asks for no password: whoever can connect signs in as one of PEOPLE with a
click. SITES are the desk's addresses, as a JSON list: nobody is sent anywhere else. It is part of the tools,
which no service's image has.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from rapport_testing.engines.ports import LOOPBACK
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import CLIENT, CLIENT_SECRET, Issuer
from rapport_tools.local.people import PEOPLE, Person
from rapport_tools.local.roles import ROLES

CALLBACK, AFTERWARDS = "/sign-in/callback", "/signed-out"
CODE_S = 60.0
ACCESS_S = 900
REFRESH_S = 24 * 3600
_REFRESHING = "rapport-refresh"  # for whom a refresh token is: not for services


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code is for."""

    who: str
    redirect_uri: str
    challenge: str
    nonce: str
    until: float


class Refused(Exception):
    """What is asked for is not given; the message is the error's code in OAuth."""


class Provider:
    """The provider of one stack, for the desk at `sites`, which shows `secret`."""

    def __init__(self, issuer: Issuer, secret: str, sites: list[str], access_s: int = ACCESS_S) -> None:
        self.access_s = access_s
        self._issuer = issuer
        self._secret = secret
        self._sites = sites
        self._codes: dict[str, Granted] = {}
        self._used: set[str] = set()  # refresh tokens: each is taken once

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/style.css", self._style),
                Route("/authorize", self._ask, methods=["GET"]),
                Route("/authorize", self._choose, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
                Route("/end", self._end, methods=["GET", "POST"]),
            ],
            # A page elsewhere may have its name lead to this machine (DNS rebinding), and read answers then.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])],
        )

    async def _discovery(self, _: Request) -> Response:
        url = self._issuer.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/jwks",
                "end_session_endpoint": f"{url}/end",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": ["openid", "profile"],
            }
        )

    async def _jwks(self, _: Request) -> Response:
        return Response(self._issuer.jwks_file.read_text(), media_type="application/json")

    async def _style(self, _: Request) -> Response:
        return Response(_STYLE, media_type="text/css")

    async def _ask(self, request: Request) -> Response:
        """The page with everybody on it."""
        if problem := self._problem(request.query_params):
            return _page("<h1>Nobody is signed in</h1>" + f"<p>{escape(problem)}</p>", self._sites, 400)
        return _page(
            "<h1>Who are you?</h1><p>This is the sign-in of a local stack: it asks for no password.</p>"
            f'<form method="post" action="/authorize?{escape(request.url.query)}">'
            + "".join(map(_button, PEOPLE.values()))
            + "</form>",
            self._sites,
        )

    async def _choose(self, request: Request) -> Response:
        asked = request.query_params
        async with request.form() as form:
            who = str(form.get("who", ""))
        if who not in PEOPLE or self._problem(asked):
            return await self._ask(request)
        now = time.monotonic()
        self._codes = {code: granted for code, granted in self._codes.items() if granted.until > now}
        code = secrets.token_urlsafe()
        self._codes[code] = Granted(
            who, asked["redirect_uri"], asked["code_challenge"], asked.get("nonce", ""), now + CODE_S
        )
        back = urlencode({"code": code, "state": asked.get("state", ""), "iss": self._issuer.url})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    def _problem(self, asked: Mapping[str, str]) -> str:
        """What is wrong with a request for a sign-in; "" for nothing."""
        callbacks = [site + CALLBACK for site in self._sites]
        wanted = {
            "client_id": [CLIENT],
            "response_type": ["code"],
            "code_challenge_method": ["S256"],
            "redirect_uri": callbacks,
        }
        for name, allowed in wanted.items():
            if asked.get(name) not in allowed:
                return f"{name} must be {' or '.join(allowed)}."
        return "" if asked.get("code_challenge") else "code_challenge is missing."

    async def _token(self, request: Request) -> Response:
        async with request.form() as form:
            told = {name: str(value) for name, value in form.items()}
        try:
            self._authenticate(request.headers.get("authorization", ""))
            if told.get("grant_type") == "authorization_code":
                granted = self._redeemed(told)
                return JSONResponse(self._tokens(PEOPLE[granted.who], granted.nonce), headers=_PRIVATE)
            if told.get("grant_type") == "refresh_token":
                return JSONResponse(self._tokens(self._refreshing(told)), headers=_PRIVATE)
            raise Refused("unsupported_grant_type")
        except Refused as refused:
            status = 401 if str(refused) == "invalid_client" else 400
            return JSONResponse({"error": str(refused)}, status, headers=_PRIVATE)

    def _authenticate(self, authorization: str) -> None:
        expected = base64.b64encode(f"{CLIENT}:{self._secret}".encode()).decode()
        if not hmac.compare_digest(authorization.encode(), f"Basic {expected}".encode()):
            raise Refused("invalid_client")

    def _redeemed(self, told: Mapping[str, str]) -> Granted:
        """What a code was given for, once."""
        granted = self._codes.pop(told.get("code", ""), None)
        digest = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            granted is None
            or granted.until < time.monotonic()
            or granted.redirect_uri != told.get("redirect_uri")
            or granted.challenge != proven
        ):
            raise Refused("invalid_grant")
        return granted

    def _refreshing(self, told: Mapping[str, str]) -> Person:
        """Whose a refresh token is, which is taken once."""
        try:
            claims = self._issuer.read(told.get("refresh_token", ""), _REFRESHING)
        except jwt.PyJWTError:
            raise Refused("invalid_grant") from None
        if claims["jti"] in self._used or claims["sub"] not in PEOPLE:
            raise Refused("invalid_grant")
        self._used.add(claims["jti"])
        return PEOPLE[claims["sub"]]

    def _tokens(self, person: Person, nonce: str = "") -> dict[str, Any]:
        now = int(time.time())
        always = {"iss": self._issuer.url, "iat": now}
        identity = always | {
            "aud": CLIENT,
            "sub": f"agent:{person.id}",
            "exp": now + self.access_s,
            "name": person.name,
            **({"nonce": nonce} if nonce else {}),
        }
        refresh = always | {
            "aud": _REFRESHING,
            "sub": person.id,
            "exp": now + REFRESH_S,
            "jti": secrets.token_urlsafe(),
        }
        access = self._issuer.token(
            f"agent:{person.id}", ROLES[person.role], person.department, self.access_s
        )
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.access_s,
            "refresh_token": self._issuer.sign(refresh),
            "id_token": self._issuer.sign(identity),
        }

    async def _end(self, request: Request) -> Response:
        """Nobody stays signed in here: back to where they came from."""
        back = request.query_params.get("post_logout_redirect_uri", "")
        if back in [site + AFTERWARDS for site in self._sites]:
            return RedirectResponse(back, 303)
        return _page("<h1>You are signed out</h1>", self._sites)


_PRIVATE = {"Cache-Control": "no-store"}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 8vh auto; padding: 0 1rem }
button { display: block; width: 100%; margin: 0 0 .5rem; padding: .75rem 1rem; text-align: left;
  font: inherit; border: 1px solid color-mix(in srgb, currentColor 60%, transparent); border-radius: 10px;
  background: none; color: inherit; cursor: pointer }
button:hover, button:focus-visible { outline: 2px solid currentColor }
small { display: block; opacity: .8 }
"""


def _button(person: Person) -> str:
    what = f"{person.role}, {person.department}. {person.does}"
    return (
        f'<button name="who" value="{escape(person.id)}"><strong>{escape(person.name)}</strong>'
        f"<small>{escape(what)}</small></button>"
    )


def _page(content: str, sites: list[str], status: int = 200) -> Response:
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in · Rapport</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/style.css"></head><body><main>{content}</main></body></html>',
        status,
        {"Content-Security-Policy": policy + " ".join(sites), "Referrer-Policy": "same-origin", **_PRIVATE},
    )


def main(home: Home, sites: list[str], port: int) -> None:
    """Serve until SIGTERM."""
    issuer = Issuer(home, f"http://{LOOPBACK}:{port}")
    provider = Provider(issuer, home.secret(CLIENT_SECRET), sites)
    uvicorn.run(
        provider.app(), host=LOOPBACK, port=port, log_level="warning", access_log=False, server_header=False
    )


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])), json.loads(sys.argv[2]), int(sys.argv[3]))
