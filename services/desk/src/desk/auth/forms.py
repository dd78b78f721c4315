"""Whether a form of ours sent it (CSRF): by where it comes from, and by what it carries."""

import asyncio
import hmac
from functools import partial
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from desk.auth import answers
from desk.language.catalogues import N_

SAFE = ("GET", "HEAD", "OPTIONS")
BODY_MAX_BYTES = 1024 * 1024
FIELDS_MAX = 200
BODY_S = 30.0
FORGED = N_(
    "this was not sent by a page of yours. Another person may have signed in here: load the page again."
)


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

    It is ours from a page of `origin` with the `csrf` of whoever is signed in, of which nothing was read yet.
    ClientDisconnect, TimeoutError when it never came.
    """
    forged = partial(answers.fragment, request, N_("Not done:"), FORGED, status=403)
    if not is_ours(request, origin):
        return forged()
    body = await _body_of(request)
    if body is None:
        told = N_("a form holds at most {most} KiB.")
        return answers.fragment(request, N_("Too much:"), told, status=413, most=BODY_MAX_BYTES // 1024)
    try:
        is_signed = await _is_signed(Request(request.scope, _again(body, request.receive)), csrf)
    except (HTTPException, MultiPartException, ValueError):
        told = N_("a form has at most {most} fields, and no files.")
        return answers.fragment(request, N_("Not done:"), told, status=400, most=FIELDS_MAX)
    return _again(body, request.receive) if is_signed else forged()


async def _is_signed(request: Request, csrf: str) -> bool:
    """Whether it carries the viewer's own value: in the header `X-CSRF`, or in the field `csrf`.

    HTTPException, MultiPartException, ValueError for a broken form.
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
