"""The issuer's public keys, as its JWKS document lists them now.

The document is read every minute, and for a token that no known key signed: then at most once a second, by
one reading for all who wait for it. So a flood of invented key ids neither reaches the issuer nor shuts out
the first tokens of a new key, and a caller that goes away takes nobody's reading with it.
"""

import asyncio
import json
import random
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any

import jwt
import structlog

from chassis.errors import Unavailable

REFRESH_S = 60.0  # a withdrawn key works this long at most
AGAIN_S = 1.0  # between two readings
RETRY_S = 2.0  # after a failed one
WAITING_MAX = 64  # callers whose token may be of a new key; more are told to come again
FETCH_TIMEOUT_S = 3.0
BYTES_MAX = 1024 * 1024
KEYS_MAX = 16  # tried for one token
ASYMMETRIC = ("EC", "OKP", "RSA")

_log = structlog.get_logger(__name__)


class Keys:
    """The keys that tokens may be signed with. `changed` is called when others were read than before.

    ValueError for a URL other than `https://...` or `file:///...`.
    """

    def __init__(self, url: str, changed: Callable[[], None]) -> None:
        if not url.startswith(("https://", "file://")):
            raise ValueError(f"the JWKS URL must begin with https:// or file://, not {url}")
        self._url = url
        self._changed = changed
        self._keys: list[dict[str, Any]] = []
        self._began = float("-inf")  # when the latest reading began
        self._failed = False
        self._reading: asyncio.Task[None] | None = None
        self._waiting = 0

    async def run(self) -> None:
        """Read the document every minute."""
        while True:
            with suppress(Unavailable):
                await self.newer()
            await asyncio.sleep(REFRESH_S * random.uniform(0.8, 1.0))  # noqa: S311 - replicas take turns

    def named(self, kid: str | None, algorithm: str) -> list[jwt.PyJWK]:
        """The keys that can have signed a token with this header: of its id, or those that have none."""
        named = [key for key in self._keys if kid is not None and key.get("kid") == kid]
        named = named or [key for key in self._keys if "kid" not in key]
        found = []
        for key in named[:KEYS_MAX]:
            if key.get("alg", algorithm) == algorithm:
                with suppress(jwt.PyJWTError):  # of another type than the algorithm
                    found.append(jwt.PyJWK(key, algorithm))
        return found

    async def newer(self) -> None:
        """Wait for a reading that begins from now on; who has no key yet, for the one under way.

        Unavailable (`ISSUER_UNAVAILABLE`) when it fails.
        """
        asked, first = time.monotonic(), None if self._keys else self._reading
        if self._waiting >= WAITING_MAX or (self._failed and asked - self._began < RETRY_S):
            raise _unsure()
        self._waiting += 1
        try:
            if first is not None:
                await asyncio.shield(first)
            while first is None and self._began < asked:
                if self._reading is None:  # of nobody's call: it outlives whoever asked first
                    self._reading = asyncio.get_running_loop().create_task(self._read(), context=Context())
                await asyncio.shield(self._reading)
        finally:
            self._waiting -= 1
        if self._failed:
            raise _unsure()

    async def _read(self) -> None:
        """Read the document. When that fails, the keys that we have stay good."""
        try:
            await asyncio.sleep(self._began + AGAIN_S - time.monotonic())
            self._began = time.monotonic()
            keys = _usable(await asyncio.to_thread(self._document))
        except Exception as error:  # whatever a server can answer
            self._failed = True
            _log.warning("the issuer's keys cannot be read", url=self._url, error=type(error).__name__)
        else:
            self._failed = False
            if keys != self._keys:
                self._keys = keys
                self._changed()
        finally:
            self._reading = None

    def _document(self) -> bytes:
        with urllib.request.urlopen(self._url, timeout=FETCH_TIMEOUT_S) as response:  # noqa: S310 - scheme checked
            body: bytes = response.read(BYTES_MAX + 1)
        if len(body) > BYTES_MAX:
            raise ValueError(f"a JWKS document must have at most {BYTES_MAX} bytes")
        return body


def _usable(document: bytes) -> list[dict[str, Any]]:
    """The public signing keys of a document. ValueError when it is none."""
    parsed = json.loads(document)
    keys = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(keys, list):
        raise ValueError("a JWKS document must be an object with a list of keys")
    return [
        key
        for key in keys
        if isinstance(key, dict) and key.get("kty") in ASYMMETRIC and key.get("use", "sig") == "sig"
    ]


def _unsure() -> Unavailable:
    return Unavailable(
        "ISSUER_UNAVAILABLE", "The issuer's keys cannot be read now. Try again.", retry_after_s=RETRY_S
    )
