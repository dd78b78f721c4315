"""The desk: what it is made of."""

import asyncio
from pathlib import Path

from starlette.applications import Starlette

from chassis.app import App
from chassis.grpc.client import Channels
from chassis.service import Service
from desk.auth.gate import Gate
from desk.settings import Settings
from desk.site import site


def compose(app: App[Settings]) -> None:
    """Everything that the desk serves."""
    channels = Channels(app.settings.peers, None)  # a call is made as whoever asks, and by nobody else

    async def keep_channels() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await channels.close()

    app.background(keep_channels)
    pages = Gate(app).before(Starlette())  # none yet
    app.web(site(channels, app.settings.rest_timeout_s, app.draining, pages))


service = Service(
    "desk",
    port=7005,
    web_port=8080,
    settings=Settings,
    events=None,
    migrations=Path(__file__).parent / "migrations",
    calls=["customer", "cases", "loyalty", "notifications", "desk"],
    compose=compose,
)
