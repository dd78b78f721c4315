"""Whether a form of ours sent it (CSRF): by where it comes from, and by what it carries."""

import asyncio
import hmac
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from desk.auth import answers

SAFE = ("GET", "HEAD", "OPTIONS")
BODY_MAX_BYTES = 1024 * 1024
FIELDS_MAX = 200
BODY_S = 30.0


def origin_of(url: str) -> str:
    """`https://host:port` of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_ours(request: Request, origin: str) -> bool:
    """Whether the browser says that a page of ours sent it. One of the two headers is needed."""
    site, said = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    return said == origin if said is not None else site is not None


async def admitted(request: Request, origin: str, csrf: str) -> Receive | Response:
    """What reads the form once more, or the answer to one that is not ours, too large, or broken.

    Args:
        request: of which nothing was read yet.
        origin: of pages of ours.
        csrf: what forms of whoever is signed in carry.

    Raises:
        ClientDisconnect, TimeoutError: it never came.
    """
    if not is_ours(request, origin):
        return answers.forged(request)
    body = await _body_of(request)
    if body is None:
        return answers.too_large(request, BODY_MAX_BYTES)
    try:
        is_signed = await _is_signed(Request(request.scope, _again(body, request.receive)), csrf)
    except (HTTPException, MultiPartException, ValueError):
        return answers.broken(request, FIELDS_MAX)
    if not is_signed:
        return answers.forged(request)
    return _again(body, request.receive)


async def _is_signed(request: Request, csrf: str) -> bool:
    """Whether it carries the viewer's own value: in the header `X-CSRF`, or in the field `csrf`.

    Raises:
        HTTPException, MultiPartException, ValueError: a broken form.
    """
    said: object = request.headers.get("x-csrf")
    if said is None:
        async with request.form(max_fields=FIELDS_MAX, max_files=0) as form:
            said = form.get("csrf")
    return isinstance(said, str) and hmac.compare_digest(said.encode(), csrf.encode())


async def _body_of(request: Request) -> bytes | None:
    """The body, of at most `BODY_MAX_BYTES`; None for a larger one. ClientDisconnect, TimeoutError."""
    body = bytearray()
    async with asyncio.timeout(BODY_S):
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                return None
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive`, for somebody who has not seen the body yet."""
    told = False

    async def receiving() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
