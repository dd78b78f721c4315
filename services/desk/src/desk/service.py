"""The desk: what it is made of."""

import asyncio
from pathlib import Path

from chassis.app import App
from chassis.grpc.client import Channels
from chassis.service import Service
from desk.site import site
from desk.settings import Settings


def compose(app: App[Settings]) -> None:
    """Everything that the desk serves."""
    channels = Channels(app.settings.peers, None)  # a call is made as whoever asks, and by nobody else

    async def keep_channels() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await channels.close()

    app.background(keep_channels)
    app.web(site(channels, app.settings.rest_timeout_s, app.draining))


service = Service(
    "desk",
    port=7005,
    web_port=8080,
    settings=Settings,
    events=None,
    migrations=Path(__file__).parent / "migrations",  # none yet: it keeps what every service keeps
    calls=["customer", "cases", "loyalty", "notifications", "desk"],
    compose=compose,
)
