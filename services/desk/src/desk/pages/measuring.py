"""How long pages take, by their route, and how many browsers watch."""

import time

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.telemetry.metrics import Histogram

DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Time to answer a request for a page.",
    ("method", "route", "status"),
)
VIEWERS = Gauge("rapport_live_viewers", "Browsers that are told of changes as they happen.")
_STREAM = b"text/event-stream"


class Measured:
    """The pages with their metrics. A stream lasts as long as somebody looks: it is counted, not timed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, watches = time.perf_counter(), 0, False

        async def noting(message: Message) -> None:
            nonlocal status, watches
            if message["type"] == "http.response.start":
                status = message["status"]
                watches = any(
                    value.startswith(_STREAM) for name, value in message["headers"] if name == b"content-type"
                )
                VIEWERS.inc(watches)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if watches:
                VIEWERS.dec()
            else:
                # Never the path, which names people; one route for all that is none.
                route = getattr(scope.get("route"), "path", "none")
                DURATION.observe((scope["method"], route, str(status)), time.perf_counter() - began)
