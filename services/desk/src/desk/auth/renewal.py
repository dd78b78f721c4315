"""Tokens of who is signed in: encrypted in the database, and renewed before they expire.

Providers take a refresh token once and end the session of whoever brings it twice. So the first request of
all processes and replicas claims the renewal in the database, for a few seconds, and no transaction is open
while the provider thinks. All others go on with the token that is still good, or wait for the new one.
"""

import asyncio
import os
import time
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import jwt
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.db.database import Database
from chassis.errors import Refusal, Unavailable
from desk.store.people import CLAIM_REFRESH, END_REFRESH, GET_SESSION, PUT_OFF_REFRESH, Session

AHEAD_S = 60.0  # before a token ends a new one is asked for; half of its life when that is less
CLAIM = timedelta(seconds=15)  # longer than the provider is waited for
AGAIN = timedelta(seconds=5)  # after it did not answer
WAIT_S = 10.0
LOOK_EVERY_S = 0.1
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one person."""

    access: str = field(repr=False)  # what services take
    # What new ones are got with; "" when the provider gives none.
    refresh: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)  # says at the provider who signs out; "" when it gives none


def seal(tokens: Tokens, key: bytes, session: bytes) -> bytes:
    """Encrypt, by AES-256-GCM, for one session."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(tokens), session)


def unseal(sealed: bytes, key: bytes, session: bytes) -> Tokens:
    """What was sealed. ValueError for something else."""
    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], session)
    except InvalidTag:
        raise ValueError("not what was sealed for this session") from None
    return msgspec.json.decode(plain, type=Tokens)


class SessionOver(Exception):
    """The provider gives no new tokens: who was signed in is no more. The message says why, and no secret."""


class Renews(Protocol):
    """What of an identity provider is needed here."""

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens. SessionOver when they are refused, Unavailable when the provider is away."""
        ...


class Renewal:
    """Keeps the tokens of sessions current."""

    def __init__(self, db: Database, provider: Renews) -> None:
        self._db = db
        self._provider = provider
        self._running: dict[bytes, asyncio.Task[Tokens]] = {}

    async def current(self, session: Session, tokens: Tokens, key: bytes) -> Tokens:
        """Tokens that are good now. SessionOver, Unavailable."""
        began, ends = _life(tokens)
        now = time.time()
        if now < ends - min(AHEAD_S, (ends - began) / 2):
            return tokens
        good = now < ends
        if not tokens.refresh:
            if good:
                return tokens
            raise SessionOver("the access token has expired, and there is no other to get")
        try:
            return await asyncio.shield(self._renewing(session, tokens, key, good))
        except Refusal:
            if good:
                return tokens
            raise

    def _renewing(self, session: Session, tokens: Tokens, key: bytes, good: bool) -> "asyncio.Task[Tokens]":
        """The one renewal of this process; of nobody's request, so that it outlives whichever began it."""
        task = self._running.get(session.id)
        if task is None:
            work = self._renewed(session, tokens, key, good)
            task = asyncio.get_running_loop().create_task(work, context=Context())
            self._running[session.id] = task
            task.add_done_callback(lambda done: self._ended(session.id, done))
        return task

    def _ended(self, session_id: bytes, task: "asyncio.Task[Tokens]") -> None:
        self._running.pop(session_id, None)
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more

    async def _renewed(self, session: Session, tokens: Tokens, key: bytes, good: bool) -> Tokens:
        now = self._db.clock.now()
        claim: dict[str, Any] = {"session": session.id, "revision": session.revision, "now": now}
        if await CLAIM_REFRESH.maybe(self._db, until=now + CLAIM, **claim) is None:
            return await self._others(session, tokens, key, good)
        try:
            new = await self._provider.refresh(tokens)
        except Unavailable:
            await PUT_OFF_REFRESH.run(self._db, session=session.id, until=now + AGAIN)
            raise
        await END_REFRESH.run(self._db, session=session.id, tokens=seal(new, key, session.id))
        return new

    async def _others(self, session: Session, tokens: Tokens, key: bytes, good: bool) -> Tokens:
        """What whoever has claimed the renewal gets."""
        for _ in range(round(WAIT_S / LOOK_EVERY_S)):
            found = await GET_SESSION.maybe(self._db, session=session.id, now=self._db.clock.now())
            if found is None:
                raise SessionOver("it was ended while its tokens were renewed")
            if found.revision != session.revision:
                return unseal(found.tokens, key, session.id)
            if good:
                return tokens
            if found.refresh_until is None or found.refresh_until <= self._db.clock.now():
                break
            await asyncio.sleep(LOOK_EVERY_S)
        raise away()


def away() -> Unavailable:
    """The refusal while the provider does not answer."""
    return Unavailable(
        "IDENTITY_PROVIDER_UNAVAILABLE",
        "The identity provider does not answer now. You stay signed in: try again.",
        retry_after_s=AGAIN.total_seconds(),
    )


def _life(tokens: Tokens) -> tuple[float, float]:
    """When an access token was issued and when it expires, as it says: it was verified when it came."""
    try:
        claims = jwt.decode(tokens.access, options={"verify_signature": False})
        return float(claims["iat"]), float(claims["exp"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise SessionOver("the access token cannot be read") from None
