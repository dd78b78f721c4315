"""Health, metrics and build information over HTTP, on a port of its own."""

import asyncio
from collections.abc import Callable
from importlib.metadata import version

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CONNECTION_S = 10.0  # whoever asks is answered in milliseconds
CONNECTIONS_MAX = 256
ANSWER_S = 1.0


def health_app(service: str, ready: Callable[[], list[str]], warnings: Callable[[], list[str]]) -> Starlette:
    """The HTTP endpoints of a service.

    `ready` says what keeps it from being ready, in words, and nothing when it is; `warnings` what a person
    should look at although it serves.
    """

    async def live(_: Request) -> Response:
        """Answers as long as the event loop turns. Depends on nothing else: no outage restarts every pod."""
        return JSONResponse({"status": "SERVING"})

    async def readiness(_: Request) -> Response:
        """Whether the service should get requests, and if not, why not."""
        problems = ready()
        status = "NOT_SERVING" if problems else "SERVING"
        told = {"status": status, "problems": problems, "warnings": warnings()}
        return JSONResponse(told, status_code=503 if problems else 200)

    async def metrics(request: Request) -> Response:
        """Prometheus metrics, made in a thread: they are many. With exemplars for who takes OpenMetrics."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        made = await asyncio.to_thread(encode, REGISTRY)
        return Response(made, headers={"content-type": content_type})

    async def info(_: Request) -> Response:
        own, chassis = version(f"rapport-{service}"), version("rapport-chassis")
        told = {"service": service, "version": own, "chassis": chassis}
        return JSONResponse(told | {"contracts": version("rapport-contracts")})

    served = {"/health/live": live, "/health/ready": readiness, "/metrics": metrics, "/info": info}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in served.items()])
