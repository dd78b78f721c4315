"""The identity provider, by OpenID Connect: discovery, authorization code with PKCE, refresh, sign-out."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import StarletteOAuth2App
from joserfc.errors import JoseError

from chassis.errors import Unavailable
from chassis.urls import is_here
from desk.auth.answers import origin_of
from desk.auth.renewal import SessionOver, Tokens, away
from desk.settings import Settings

TIMEOUT_S = 5.0
CALLBACK = "/sign-in/callback"
AFTERWARDS = "/signed-out"
# What a provider says of what was brought, not of itself or of how the desk is set up.
_FINAL = {"invalid_grant", "access_denied", "login_required", "interaction_required", "consent_required"}

_log = structlog.get_logger(__name__)


class NotSignedIn(Exception):
    """The provider did not sign somebody in. The message says why."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that is under way at the provider."""

    url: str = field(repr=False)  # where the browser goes
    state: str = field(repr=False)  # comes back with it
    nonce: str = field(repr=False)  # comes back in the identity token
    verifier: str = field(repr=False)  # proves that whoever brings the code has begun this (PKCE)


class Provider:
    """One provider, discovered when it is first needed: the desk starts without it.

    Its methods raise Unavailable (`IDENTITY_PROVIDER_UNAVAILABLE`) when it does not answer as it should.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuer = settings.provider_url
        self._home = settings.site_url
        self._client_id = settings.oidc_client_id
        self._more = {"audience": settings.oidc_audience} if settings.oidc_audience else {}
        local = is_here(httpx2.URL(self._issuer).host) if "//" in self._issuer else False
        self._app: Any = StarletteOAuth2App(
            None,
            name="provider",
            client_id=settings.oidc_client_id,
            server_metadata_url=f"{self._issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.oidc_scope,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_S,
                "trust_env": not local,  # a proxy does not lead to this machine
            },
        )

    @property
    def is_set_up(self) -> bool:
        return bool(self._client_id)

    def origins(self) -> frozenset[str]:
        """Where the browser may be led on signing out."""
        end = self._app.server_metadata.get("end_session_endpoint", "")
        urls = [url for url in (self._issuer, end) if "//" in url]
        return frozenset(map(origin_of, urls)) if self.is_set_up else frozenset()

    async def begin(self, mark: str = "") -> Begun:
        """Begin to sign somebody in. The state ends with `mark`."""
        state = secrets.token_urlsafe(24) + mark
        async with self._answering():
            begun = await self._app.create_authorization_url(self._home + CALLBACK, state=state, **self._more)
            return Begun(begun["url"], begun["state"], begun["nonce"], begun["code_verifier"])

    async def finish(self, code: str, nonce: str, verifier: str) -> tuple[Tokens, str]:
        """Whoever comes back with a code: their tokens, and what the provider calls them. NotSignedIn."""
        try:
            async with self._answering():
                answer = await self._app.fetch_access_token(
                    redirect_uri=self._home + CALLBACK, code=code, code_verifier=verifier
                )
                tokens = _tokens(answer)
                person = await self._person(answer, nonce)
        except SessionOver as refused:
            raise NotSignedIn(str(refused)) from None
        name = person.get("name") or person.get("preferred_username") or ""
        return tokens, str(name)[:200]

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for those that are about to expire. SessionOver when the provider refuses."""
        async with self._answering():
            metadata = await self._app.load_server_metadata()
            async with self._app._get_oauth_client(**metadata) as client:
                return _tokens(await client.refresh_token(refresh_token=tokens.refresh), tokens)

    async def sign_out_url(self, identity: str) -> str:
        """Where the browser goes to sign out there, too; AFTERWARDS when the provider has no such place."""
        try:
            async with self._answering():
                end = (await self._app.load_server_metadata()).get("end_session_endpoint")
        except Unavailable:
            end = None
        if not end:
            return AFTERWARDS
        told = {"client_id": self._client_id, "post_logout_redirect_uri": self._home + AFTERWARDS}
        return str(add_params_to_uri(end, told | ({"id_token_hint": identity} if identity else {})))

    async def _person(self, answer: dict[str, Any], nonce: str) -> dict[str, Any]:
        """What the identity token says, verified."""
        expected = {"iss": {"values": [self._issuer]}, "aud": {"values": [self._client_id]}}
        try:
            person = await self._app.parse_id_token(answer, nonce, expected)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise SessionOver(f"its identity token is not valid ({type(error).__name__})") from None
        if person is None:
            raise SessionOver("it gave no identity token")
        return dict(person)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Turn what goes wrong on the way into what it means."""
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                secret = self._settings.current("oidc_client_secret")
                self._app.client_secret = secret.get_secret_value() or None
                metadata = await self._app.load_server_metadata()
                if metadata.get("issuer") != self._issuer:
                    self._app.server_metadata = {}
                    raise ValueError("the provider calls itself otherwise")
                yield
        except OAuthError as error:
            if error.error in _FINAL:
                raise SessionOver(f"the provider refuses: {error.error}") from None
            _log.error("the identity provider refuses the desk", error=str(error.error)[:50])
            raise away() from None
        except (httpx2.HTTPError, TimeoutError, ValueError, RuntimeError, AttributeError) as error:
            # never their words, which may hold what was sent
            _log.warning("the identity provider does not answer as it should", error=type(error).__name__)
            raise away() from None


def _tokens(answer: dict[str, Any], old: Tokens | None = None) -> Tokens:
    """The tokens in an answer. ValueError when there is none."""
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise ValueError("no access token")
    refresh, identity = (old.refresh, old.identity) if old else ("", "")
    return Tokens(access, answer.get("refresh_token") or refresh, answer.get("id_token") or identity)
