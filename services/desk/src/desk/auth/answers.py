"""The few pages that are shown to nobody in particular. They need no script, and say what to do."""

from html import escape
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.errors import Refusal
from desk.auth.paths import checked
from desk.language import refusals
from desk.language.catalogues import N_, Language, preferred

STYLESHEET = "/static/desk.css"
FRAGMENT = "fragment"  # `X-Requested-With: fragment`: a part of a page asks, not somebody who goes to one
DONE = "/signed-in"


def language(request: Request) -> Language:
    """The language of whoever asks."""
    return Language(preferred(request.headers.get("accept-language", "")))


def sign_in_url(back: str) -> str:
    """Where signing in begins that ends at `back`."""
    return f"/sign-in?back={quote(back, safe='/')}"


def page(
    request: Request, title: str, words: str, *links: tuple[str, str], status: int = 200, **values: Any
) -> Response:
    """A whole page of a sentence or two, and links: each its URL and its words. All are messages."""
    say = language(request)
    title, words = say(title), say(words, **values)
    listed = " ".join(
        f'<a class="button" href="{escape(url)}">{escape(say(text))}</a>' for url, text in links
    )
    return HTMLResponse(
        f'<!doctype html><html lang="{say.tag}"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · Rapport</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{STYLESHEET}"></head>'
        f'<body><main class="notice"><h1>{escape(title)}</h1><p>{escape(words)}</p>'
        f"<p>{listed}</p></main></body></html>",
        status,
    )


def fragment(
    request: Request, title: str, words: str, *links: tuple[str, str], status: int, **values: Any
) -> Response:
    """The same within a page that stays: links open beside it, so that nothing typed is lost."""
    say = language(request)
    title, words = say(title), say(words, **values)
    listed = " ".join(
        f'<a class="button" href="{escape(url)}" target="_blank" rel="noopener">{escape(say(text))}</a>'
        for url, text in links
    )
    return HTMLResponse(
        f'<div class="notice refused"><strong>{escape(title)}</strong> {escape(words)} {listed}</div>',
        status,
    )


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
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(sign_in_url(checked(asked)), 303)
    return fragment(
        request,
        N_("You are signed out."),
        N_("Nothing is lost: sign in, and send it again."),
        (sign_in_url(DONE), N_("Sign in")),
        status=401,
    )


def forged(request: Request) -> Response:
    """What was sent was not sent by a page of the person who is signed in."""
    return fragment(
        request,
        N_("Not done:"),
        N_(
            "this was not sent by a page of yours. "
            "Another person may have signed in here: load the page again."
        ),
        status=403,
    )


def too_large(request: Request, most: int) -> Response:
    """More was sent than any form holds."""
    told = N_("a form holds at most {most} KiB.")
    return fragment(request, N_("Too much:"), told, status=413, most=most // 1024)


def broken(request: Request, most: int) -> Response:
    """What was sent is no form that a page of ours has."""
    told = N_("a form has at most {most} fields, and no files.")
    return fragment(request, N_("Not done:"), told, status=400, most=most)


def refused(request: Request, refusal: Refusal) -> Response:
    """Nobody can tell now who asks, and why: they stay signed in."""
    status = 503 if refusal.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED") else 400
    title = N_("Not now") if status == 503 else N_("That is not understood")
    told = refusals.told(refusal, language(request))
    if is_navigation(request):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response = page(request, title, told, (checked(asked), N_("Try again")), status=status)
    else:
        response = fragment(request, title, told, status=status)
    if refusal.retry_after_s:
        response.headers["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
    return response
