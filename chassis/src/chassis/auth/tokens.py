"""Verifying callers' tokens: JWTs signed by the issuer whose keys a JWKS document lists."""

import asyncio
import json
import time
import urllib.request
from collections import OrderedDict
from typing import Any

import jwt
import structlog

from chassis.context import Principal
from chassis.errors import Unauthenticated, Unavailable

AUDIENCE = "rapport"
LEEWAY_S = 30
ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
REFETCH_AFTER_S = 10.0  # an unknown key asks the issuer again, at most this often
KEYS_MAX_AGE_S = 300.0  # a key that the issuer withdrew is forgotten after this
FETCH_TIMEOUT_S = 3.0
CACHED_TOKENS = 10_000

log = structlog.get_logger(__name__)


class Verifier:
    """Turns tokens into principals.

    A token needs `aud` "rapport", `sub`, `iat` and `exp`, and is signed with a key of the JWKS and an
    asymmetric algorithm. The claim `permissions` (a list), or else `scope` (separated by spaces), says what
    the caller may; `department` says where they work. A verified token is remembered until it expires.

    Args:
        jwks_url: `https://...` or `file:///...`.

    """

    def __init__(self, jwks_url: str) -> None:
        if not jwks_url.startswith(("https://", "file://")):
            raise ValueError(f"the JWKS URL must begin with https:// or file://, not {jwks_url}")
        self._url = jwks_url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._verified: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    def known(self, authorization: str) -> Principal | None:
        """The principal of an authorization header that was verified before and is still valid."""
        entry = self._verified.get(authorization)
        if entry is None or entry[1] <= time.time():
            return None
        return entry[0]

    async def verify(self, authorization: str) -> Principal:
        """The principal of the header `Bearer <token>`.

        Unauthenticated: TOKEN_MISSING, TOKEN_EXPIRED, or TOKEN_INVALID for everything else that is wrong.
        Unavailable (ISSUER_UNAVAILABLE) when the issuer's keys are needed and cannot be read.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("TOKEN_MISSING", "The metadata `authorization` must be `Bearer <token>`.")
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=AUDIENCE,
                leeway=LEEWAY_S,
                options={"require": ["aud", "exp", "iat", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("TOKEN_EXPIRED", "The token has expired. Get a new one.") from None
        except jwt.PyJWTError as error:
            log.debug("token refused", why=type(error).__name__)
            raise _invalid() from None
        principal = _principal(claims)
        self._verified[authorization] = principal, float(claims["exp"]) + LEEWAY_S
        if len(self._verified) > CACHED_TOKENS:
            self._verified.popitem(last=False)
        return principal

    async def _key(self, kid: str) -> jwt.PyJWK:
        if self._stale(kid):
            async with self._fetching:
                if self._stale(kid) and time.monotonic() - self._asked_at > REFETCH_AFTER_S:
                    await self._fetch()
        key = self._keys.get(kid)
        if key is not None:
            return key
        if self._fetched_at < self._asked_at:  # the last time, the issuer did not answer
            raise Unavailable(
                "ISSUER_UNAVAILABLE",
                "The issuer's keys cannot be read. Try again.",
                retry_after_s=REFETCH_AFTER_S,
            )
        raise _invalid()

    def _stale(self, kid: str) -> bool:
        return kid not in self._keys or time.monotonic() - self._fetched_at > KEYS_MAX_AGE_S

    async def _fetch(self) -> None:
        """Ask for the keys. When that fails, those that we have stay good."""
        self._asked_at = time.monotonic()
        try:
            document = await asyncio.to_thread(self._read)
            keys = jwt.PyJWKSet.from_dict(json.loads(document)).keys
        except (OSError, ValueError, jwt.PyJWTError) as error:
            log.warning("the issuer's keys cannot be read", url=self._url, error=type(error).__name__)
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = time.monotonic()

    def _read(self) -> bytes:
        with urllib.request.urlopen(self._url, timeout=FETCH_TIMEOUT_S) as response:  # noqa: S310 - scheme checked
            body: bytes = response.read()
            return body


def _invalid() -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", "The token must be one that the issuer signed for `rapport`.")


def _principal(claims: dict[str, Any]) -> Principal:
    permissions = claims.get("permissions", claims.get("scope", ""))
    if isinstance(permissions, str):
        permissions = permissions.split()
    if not isinstance(permissions, list) or not all(isinstance(item, str) for item in permissions):
        raise _invalid()
    return Principal(str(claims["sub"]), str(claims.get("department", "")), frozenset(permissions))
