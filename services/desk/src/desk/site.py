"""What the desk serves: to programs every RPC below `/v1/` and what describes it, to people pages."""

from starlette.types import ASGIApp, Receive, Scope, Send

from desk.edge import openapi
from desk.edge.rest import Rest

OF_PROGRAMS = ("/v1/", "/openapi.json")


def site(rest: Rest, pages: ASGIApp) -> ASGIApp:
    """The whole of it: a token asks REST, a cookie sees pages, and neither opens the other."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(OF_PROGRAMS):
            answers = pages
        elif scope["path"] == "/openapi.json" and scope["method"] in ("GET", "HEAD"):
            answers = openapi.answer()
        else:
            answers = rest
        await answers(scope, receive, send)

    return serve
