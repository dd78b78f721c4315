"""The few pages that are shown to nobody in particular. They need no script, and say what to do."""

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.errors import Refusal
from desk.language import refusals
from desk.language.catalogues import N_, Language, preferred

STYLESHEET = "/static/desk.css"
FRAGMENT = "fragment"  # `X-Requested-With: fragment`: a part of a page asks, not somebody who goes to one
HOME, DONE = "/", "/signed-in"
PATH_MAX = 1024


def language(request: Request) -> Language:
    """The language of whoever asks."""
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
    told = refusals.told(refusal, language(request))
    if is_navigation(request):
        response = page(request, title, told, (_asked(request), N_("Try again")), status=status)
    else:
        response = fragment(request, title, told, status=status)
    if refusal.retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
    return response
