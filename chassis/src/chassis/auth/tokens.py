"""Verifying callers' tokens: JWTs that the issuer signed for this platform."""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import jwt
import structlog

from chassis.auth.accounts import Accounts
from chassis.auth.keys import Keys
from chassis.context import Principal
from chassis.errors import Unauthenticated
from chassis.names import SUBJECT

AUDIENCE = "rapport"
LEEWAY_S = 30
LIFETIME_MAX_S = 24 * 3600  # from `iat` to `exp`
ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
CACHED_TOKENS = 10_000
REFUSED_S = 10.0  # a token that no key signed is not looked into again for this long

# Whatever Python's decoders raise for what somebody made up. RecursionError: brackets within brackets.
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
_SUBJECT = re.compile(SUBJECT)
_DEPARTMENT = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62})?")

_log = structlog.get_logger(__name__)


class Verifier:
    """Turns tokens into principals. docs/identity.md says what a token must hold.

    The issuer publishes its keys at the JWKS URL, `https://...` or `file:///...`: somebody has to `run` them.
    A verified token is remembered until it expires or the issuer's keys change.
    """

    def __init__(self, jwks_url: str, issuer: str) -> None:
        self._verified: OrderedDict[str, Principal] = OrderedDict()
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self.keys = Keys(jwks_url, self._verified.clear)
        self._issuers: dict[str, tuple[Keys, Accounts | None]] = {issuer: (self.keys, None)}

    def trust(self, jwks_url: str, issuer: str, accounts: Path) -> None:
        """Take tokens of a cluster, too, of those accounts that the file names. ValueError for a wrong one.

        Each issuer speaks for its own: its keys are good for its `iss` alone, and of a cluster's token
        nothing counts but whose it is and how long.
        """
        known = Accounts(accounts, self._verified.clear)
        self._issuers[issuer] = Keys(jwks_url, self._verified.clear), known

    async def run(self) -> None:
        """Keep keys and accounts as they are published."""
        async with asyncio.TaskGroup() as running:
            for keys, accounts in self._issuers.values():
                running.create_task(keys.run())
                if accounts is not None:
                    running.create_task(accounts.run())

    def known(self, authorization: str) -> Principal | None:
        """The principal of a header that was verified before and is still valid."""
        principal = self._verified.get(authorization)
        if principal is None or principal.expires_at <= time.time():
            return None
        return principal

    async def verify(self, authorization: str, where: str = "authorization") -> Principal:
        """The principal of the metadata `where`: `Bearer <token>`, which is not `known`.

        Unauthenticated: TOKEN_MISSING, TOKEN_EXPIRED, or TOKEN_INVALID for everything else that is wrong.
        Unavailable (ISSUER_UNAVAILABLE) when the issuer's keys are needed and cannot be read.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("TOKEN_MISSING", f"The metadata `{where}` must be `Bearer <token>`.")
        try:
            principal = await self._principal(token)
        except jwt.ExpiredSignatureError:
            raise expired(where) from None
        except _MALFORMED as error:
            _log.debug("token refused", why=type(error).__name__)
            raise Unauthenticated(
                "TOKEN_INVALID",
                f"The token in `{where}` must be one that the issuer signed for `rapport`, and of "
                "`agent:{code}` or `service:{code}`.",
            ) from None
        self._verified[authorization] = principal
        if len(self._verified) > CACHED_TOKENS:
            self._verified.popitem(last=False)
        return principal

    async def _principal(self, token: str) -> Principal:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(algorithm)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise jwt.InvalidIssuerError
        keys, accounts = self._issuers[issuer]
        claims = _claims(keys, issuer, token, kid, algorithm)
        if claims is None:
            digest = hashlib.sha256(token.encode()).digest()
            if self._refused.get(digest, 0.0) > time.monotonic():
                raise jwt.InvalidSignatureError("refused a moment ago")
            await keys.newer()
            claims = _claims(keys, issuer, token, kid, algorithm)
            if claims is None:
                self._refused[digest] = time.monotonic() + REFUSED_S
                if len(self._refused) > CACHED_TOKENS:
                    self._refused.popitem(last=False)
                raise jwt.InvalidSignatureError("no key signed it")
        if accounts is not None:
            claims = {"iat": claims["iat"], "exp": claims["exp"]} | accounts.claims(claims["sub"])
        return _read(claims)


def _claims(keys: Keys, issuer: str, token: str, kid: str | None, algorithm: str) -> dict[str, Any] | None:
    """What a token says; None when it may be of a key that we have not read yet."""
    known = False
    for key in keys.named(kid, algorithm):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=AUDIENCE,
                issuer=issuer,
                leeway=LEEWAY_S,
                options={"require": ["aud", "exp", "iat", "iss", "sub"]},
            )
        except jwt.InvalidSignatureError:
            known = known or (kid is not None and key.key_id == kid)
        else:
            return claims
    if known:
        raise jwt.InvalidSignatureError("not signed with the key that it names")
    return None


def expired(where: str) -> Unauthenticated:
    return Unauthenticated("TOKEN_EXPIRED", f"The token in `{where}` has expired. Get a new one.")


def _read(claims: dict[str, Any]) -> Principal:
    """The principal that verified claims name. ValueError for one that cannot be."""
    subject, department = claims.get("rapport_sub", claims["sub"]), claims.get("department", "")
    permissions = claims.get("permissions", claims.get("scope", ""))
    if isinstance(permissions, str):
        permissions = permissions.split()
    if not isinstance(permissions, list) or not all(isinstance(item, str) for item in permissions):
        raise ValueError("permissions must be a list of strings")
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("sub must be agent:{code} or service:{code}")
    if not _DEPARTMENT.fullmatch(department):
        raise ValueError("department must be a department's id, or absent")
    if float(claims["exp"]) - float(claims["iat"]) > LIFETIME_MAX_S:
        raise ValueError("a token must expire within 24 hours")
    return Principal(subject, department, frozenset(permissions), float(claims["exp"]) + LEEWAY_S)
