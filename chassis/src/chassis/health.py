"""Health, metrics and build information over HTTP, on a port of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import version

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


def health_app(service: str, ready: Callable[[], list[str]]) -> FastAPI:
    """The HTTP endpoints of a service.

    Args:
        service: its name.
        ready: what keeps the service from being ready, in words; empty means ready.

    """
    app = FastAPI(title=f"{service} health", openapi_url=None)

    @app.get("/health/live")
    def live() -> dict[str, str]:
        """Answers as long as the event loop turns. Depends on nothing else: no outage restarts every pod."""
        return {"status": "SERVING"}

    @app.get("/health/ready")
    def readiness(response: Response) -> dict[str, object]:
        """Whether the service should get requests, and if not, why not."""
        problems = ready()
        response.status_code = 503 if problems else 200
        return {"status": "NOT_SERVING" if problems else "SERVING", "problems": problems}

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @app.get("/info")
    def info() -> dict[str, str]:
        """What is running."""
        return {
            "service": service,
            "version": version(f"rapport-{service}"),
            "chassis": version("rapport-chassis"),
        }

    return app


class HealthServer(uvicorn.Server):
    """Serves the health app in the service's own event loop, leaving signals to the service."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, lifespan="off")
        )
        self._serving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM and SIGINT to the service, which drains in order."""
        yield

    async def open(self) -> None:
        """Listen. OSError when the port is taken."""
        listening = socket.create_server((self.config.host, self.config.port), backlog=64)
        self._serving = asyncio.create_task(self.serve([listening]))

    async def close(self) -> None:
        """Stop listening."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving
