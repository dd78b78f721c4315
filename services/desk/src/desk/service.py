"""The desk: what it is made of."""

from pathlib import Path

from chassis.app import App
from chassis.service import Service
from desk.auth.gate import Gate
from desk.edge.rest import Rest
from desk.pages.actions.drafts import clean
from desk.pages.app import pages
from desk.pages.traces.store import Traces, TraceStore
from desk.settings import Settings
from desk.site import site


def compose(app: App[Settings]) -> None:
    """Everything that the desk serves."""
    url, link = app.settings.traces_url, app.settings.trace_link
    traces = Traces(TraceStore(url) if url else None, link)
    if traces.store:
        app.background(traces.store.keep)
    rest = Rest(app.forwarding, app.verifier, app.settings.rest_timeout_s, app.draining)
    app.background(lambda: clean(app.db))
    app.web(site(rest, Gate(app).before(pages(app.forwarding, app.db, app.draining, traces))))


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
