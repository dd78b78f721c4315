"""What the desk serves: to programs every RPC below `/v1/` and where webhooks go, to people pages."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from desk.edge import openapi, page
from desk.edge.ending import PATH as ENDING
from desk.edge.rest import Rest
from desk.edge.webhooks.http import PREFIX

OF_PROGRAMS = ("/v1/", page.PATH)


def site(rest: Rest, webhooks: ASGIApp, ending: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """The whole of it: a token asks REST, a cookie sees pages, and neither opens the other."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path, reads = scope["path"], scope["method"] in ("GET", "HEAD")
        if path.startswith(PREFIX):
            answers = webhooks
        elif path == ENDING:
            answers = ending
        elif not path.startswith(OF_PROGRAMS):
            answers = pages
        elif path == f"{page.PATH}.json" and reads:
            answers = openapi.answer()
        elif path.startswith(page.PATH) and reads:
            answers = page.answer(Request(scope))
        else:
            answers = rest
        await answers(scope, receive, send)

    return serve
