"""What customers' own pages answer: a page in their language, or the way to one that says what was done."""

from typing import Any
from uuid import uuid4

from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk.language.catalogues import N_
from desk.pages.base import render
from desk.selfservice.asking import Own

SAID = {
    "kept": N_("Saved. It holds from now on."),
    "waits": N_("Saved. What you have to confirm holds once you did; all else holds from now on."),
    "suppressed": N_(
        "We have noted it, but messages to your address came back, or you told your mail provider that they"
        " were unwanted: we do not write to it until one of us has looked at it. Please write to us on"
        " the page of your promises and cases, or give us another address."
    ),
}


def page(own: Own, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of whoever holds the link."""
    told = own.say(SAID.get(own.request.query_params.get("said", ""), ""))
    values = {"told": told, "company": own.company, "base": f"/c/{own.token}", "form": uuid4()} | values
    html = render(f"selfservice/{template}", say=own.say, **values)
    return HTMLResponse(html, status)


def to(path: str, own: Own, said: str) -> Response:
    """The way to a page, which says what was done: one of SAID."""
    return RedirectResponse(f"/c/{own.token}{path}?said={said}", 303)
