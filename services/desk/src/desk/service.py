"""The desk: what it is made of."""

from pathlib import Path

from starlette.applications import Starlette

from chassis.app import App
from chassis.service import Service
from desk.auth.gate import Gate
from desk.edge.rest import Rest
from desk.settings import Settings
from desk.site import site


def compose(app: App[Settings]) -> None:
    """Everything that the desk serves."""
    rest = Rest(app.forwarding, app.verifier, app.settings.rest_timeout_s, app.draining)
    pages = Gate(app).before(Starlette())  # none yet
    app.web(site(rest, pages))


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
