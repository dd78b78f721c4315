"""The few pages that are shown to nobody in particular, and whether a form of ours sent something (CSRF)."""

import asyncio
import hmac
from collections.abc import Iterable
from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive

from chassis.errors import Refusal
from chassis.web import body_of
from desk.language.catalogues import N_, Language, preferred, refusal_words

STYLESHEET = "/static/desk.css"
FRAGMENT = "fragment"  # `X-Requested-With: fragment`: a part of a page asks, not somebody who goes to one
HOME, DONE = "/", "/signed-in"
PATH_MAX = 1024
SAFE = ("GET", "HEAD", "OPTIONS")
BODY_MAX_BYTES = 1024 * 1024
FIELDS_MAX = 200
BODY_S = 30.0
TOO_LARGE_EACH = N_("a file has at most {most} MB here.")
TOO_LARGE = N_("a file has at most {most} MiB here. Whoever runs this can import larger ones.")
FORGED = N_(
    "this was not sent by a page of yours. Another person may have signed in here: load the page again."
)


def language(request: Request) -> Language:
    return Language(preferred(request.headers.get("accept-language", "")))


def checked(back: str | None) -> str:
    r"""A path of ours with its query; HOME for all else: another host, `//host`, `/\host`, a scheme."""
    if not back or not back.startswith("/") or len(back) > PATH_MAX:
        return HOME
    if not (back.isascii() and back.isprintable()) or back[1:2] in ("/", "\\") or "\\" in back:
        return HOME  # browsers read a backslash as a slash, and drop tabs and line ends
    parts = urlsplit(back)
    return HOME if parts.scheme or parts.netloc or parts.path.startswith("/sign-") else back


def sign_in_url(back: str) -> str:
    """Where signing in begins that ends at `back`."""
    return f"/sign-in?back={quote(back, safe='/')}"


def page(
    request: Request, title: str, words: str, *links: tuple[str, str], status: int = 200, **values: Any
) -> Response:
    """A whole page of a sentence or two, and links: each its URL and its words. All are messages."""
    title, words, listed = _said(request, title, words, links, **values)
    return HTMLResponse(
        f'<!doctype html><html lang="{language(request).tag}"><head><meta charset="utf-8">'
        f"<title>{title} · Rapport</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{STYLESHEET}"></head>'
        f'<body><main class="notice"><h1>{title}</h1><p>{words}</p>'
        f"<p>{listed}</p></main></body></html>",
        status,
    )


def fragment(
    request: Request, title: str, words: str, *links: tuple[str, str], status: int, **values: Any
) -> Response:
    """The same within a page that stays: links open beside it, so that nothing typed is lost."""
    beside = ' target="_blank" rel="noopener"'
    title, words, listed = _said(request, title, words, links, beside, **values)
    return HTMLResponse(
        f'<div class="notice refused"><strong>{title}</strong> {words} {listed}</div>', status
    )


def _said(
    request: Request, title: str, words: str, links: Iterable[tuple[str, str]], how: str = "", **values: Any
) -> tuple[str, str, str]:
    """Title, words and links in the language of whoever asks, as HTML."""
    say = language(request)
    listed = (f'<a class="button" href="{escape(url)}"{how}>{escape(say(text))}</a>' for url, text in links)
    return escape(say(title)), escape(say(words, **values)), " ".join(listed)


def _asked(request: Request) -> str:
    """What was asked for, to come back to."""
    return checked(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def is_navigation(request: Request) -> bool:
    """Whether a person goes to a page, and sees whatever is answered."""
    return (
        request.method in ("GET", "HEAD")
        and request.headers.get("x-requested-with") != FRAGMENT
        and "text/event-stream" not in request.headers.get("accept", "")
    )


def signed_out(request: Request) -> Response:
    """Nobody is signed in: a page leads to signing in and back, all else says so and stays where it is."""
    if is_navigation(request):
        return RedirectResponse(sign_in_url(_asked(request)), 303)
    return fragment(
        request,
        N_("You are signed out."),
        N_("Nothing is lost: sign in, and send it again."),
        (sign_in_url(DONE), N_("Sign in")),
        status=401,
    )


def refused(request: Request, refusal: Refusal) -> Response:
    """Nobody can tell now who asks, and why: they stay signed in."""
    status = 503 if refusal.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") else 400
    title = N_("Not now") if status == 503 else N_("That is not understood")
    told = refusal_words(refusal, language(request))
    if is_navigation(request):
        response = page(request, title, told, (_asked(request), N_("Try again")), status=status)
    else:
        response = fragment(request, title, told, status=status)
    if refusal.retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
    return response


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
    forged = partial(fragment, request, N_("Not done:"), FORGED, status=403)
    if not is_ours(request, origin):
        return forged()
    async with asyncio.timeout(BODY_S):
        body = await body_of(request, BODY_MAX_BYTES)
    if body is None:
        told = N_("a form holds at most {most} KiB.")
        return fragment(request, N_("Too much:"), told, status=413, most=BODY_MAX_BYTES // 1024)
    try:
        is_signed = await _is_signed(Request(request.scope, _again(body, request.receive)), csrf)
    except (HTTPException, MultiPartException, ValueError):
        told = N_("a form has at most {most} fields, and no files.")
        return fragment(request, N_("Not done:"), told, status=400, most=FIELDS_MAX)
    return _again(body, request.receive) if is_signed else forged()


async def admitted_files(
    request: Request, origin: str, csrf: str, most: int, files: int
) -> FormData | Response:
    """A form with so many files of at most so many bytes each, read to the disk; or the answer to another.

    As `admitted`. Whoever gets it closes it.
    """
    if not is_ours(request, origin):
        return fragment(request, N_("Not done:"), FORGED, status=403)
    read, receive = 0, request.receive

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > files * most + BODY_MAX_BYTES:
            raise _TooMuch
        return message

    told, most_of = (TOO_LARGE, most // 2**20) if files == 1 else (TOO_LARGE_EACH, most // 10**6)
    too_much = partial(fragment, request, N_("Too much:"), told, status=413, most=most_of)
    try:
        form = await Request(request.scope, bounded).form(max_files=files, max_fields=FIELDS_MAX)
    except _TooMuch:
        return too_much()
    except (HTTPException, MultiPartException, ValueError):
        return fragment(
            request,
            N_("Not done:"),
            N_("it is no form with {files} files or fewer."),
            status=400,
            files=files,
        )
    said, brought = form.get("csrf"), [each for _, each in form.multi_items() if isinstance(each, UploadFile)]
    answer: Response | None = None
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), csrf.encode()):
        answer = fragment(request, N_("Not done:"), FORGED, status=403)
    elif any((each.size or 0) > most for each in brought):
        answer = too_much()
    if answer:
        await form.close()
        return answer
    return form


class _TooMuch(Exception):
    """More than is taken."""


async def _is_signed(request: Request, csrf: str) -> bool:
    """Whether it carries the viewer's own value: in the header `X-CSRF`, or in the field `csrf`.

    HTTPException, MultiPartException, ValueError for a broken form.
    """
    said: object = request.headers.get("x-csrf")
    if said is None:
        async with request.form(max_fields=FIELDS_MAX, max_files=0) as form:
            said = form.get("csrf")
    return isinstance(said, str) and hmac.compare_digest(said.encode(), csrf.encode())


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
